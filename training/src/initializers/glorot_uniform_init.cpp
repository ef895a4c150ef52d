// Uniform with a variance of 2 / (inputs + outputs).
#include <cmath>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

class GlorotUniform final : public DescribedAs<Initializer, GlorotUniform, NoOptions> {
 public:
  static constexpr std::string_view kType = "GlorotUniform";
  static constexpr std::string_view kDoc =
      "Uniform in +-sqrt(6 / (inputs + outputs)); of filters the window counts on both sides.";
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    const Fans fans = fans_of(kType, p);
    const double limit = std::sqrt(6.0 / static_cast<double>(fans.in + fans.out));
    fill_uniform(values, -limit, limit, rng);
  }
};

}  // namespace

void register_glorot_uniform_init(Catalog& catalog) { catalog.of<Initializer>().add<GlorotUniform>(); }

}  // namespace squall
