// Normal with a variance of 2 / inputs.
#include <cmath>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

class HeNormal final : public DescribedAs<Initializer, HeNormal, NoOptions> {
 public:
  static constexpr std::string_view kType = "HeNormal";
  static constexpr std::string_view kDoc =
      "Normally distributed with deviation sqrt(2 / inputs), for what a rel follows.";
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    fill_normal(values, 0, std::sqrt(2.0 / static_cast<double>(fans_of(kType, p).in)), rng);
  }
};

}  // namespace

void register_he_normal_init(Catalog& catalog) { catalog.of<Initializer>().add<HeNormal>(); }

}  // namespace squall
