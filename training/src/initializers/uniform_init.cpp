// Evenly distributed numbers.
#include <cmath>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

struct UniformOptions {
  double low = 0.1;
  std::optional<double> high;
  static constexpr auto fields = std::tuple{field("low", &UniformOptions::low, "lower bound; without high: +- this"),
                                            field("high", &UniformOptions::high, "upper bound")};
};

class Uniform final : public DescribedAs<Initializer, Uniform, UniformOptions> {
 public:
  static constexpr std::string_view kType = "Uniform";
  static constexpr std::string_view kDoc = "Uniform from low to high, or in +-low.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (low() >= high())
      problems.add(where, concat("option 'low' (", low(), ") should be below 'high' (", high(), ")"));
  }
  void fill(std::span<double> values, const ParameterContext&, Rng& rng) const override {
    fill_uniform(values, low(), high(), rng);
  }

 private:
  double low() const { return options.high ? options.low : -std::abs(options.low); }
  double high() const { return options.high ? *options.high : std::abs(options.low); }
};

}  // namespace

void register_uniform_init(Catalog& catalog) { catalog.of<Initializer>().add<Uniform>(); }

}  // namespace squall
