// Normal numbers.
#include "initializers/shapes.hpp"

namespace squall {

namespace {

struct GaussianOptions {
  double std = 0.1, mean = 0.0;
  static constexpr auto fields = std::tuple{field("std", &GaussianOptions::std, "standard deviation"),
                                            field("mean", &GaussianOptions::mean, "mean")};
};
struct RandomNormalOptions {
  double std = 0.05, mean = 0.0;
  static constexpr auto fields = std::tuple{field("std", &RandomNormalOptions::std, "standard deviation"),
                                            field("mean", &RandomNormalOptions::mean, "mean")};
};

template <class D, class O>
class Normal : public DescribedAs<Initializer, D, O> {
 public:
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (this->options.std < 0) problems.add(where, "option 'std' should not be negative");
  }
  void fill(std::span<double> values, const ParameterContext&, Rng& rng) const override {
    fill_normal(values, this->options.mean, this->options.std, rng);
  }
};

class Gaussian final : public Normal<Gaussian, GaussianOptions> {
 public:
  static constexpr std::string_view kType = "Gaussian";
  static constexpr std::string_view kDoc = "Normally distributed.";
};
class RandomNormal final : public Normal<RandomNormal, RandomNormalOptions> {
 public:
  static constexpr std::string_view kType = "RandomNormal";
  static constexpr std::string_view kDoc = "Normally distributed, with the deviation that Keras takes.";
};

}  // namespace

void register_gaussian_init(Catalog& catalog) {
  catalog.of<Initializer>().add<Gaussian>();
  catalog.of<Initializer>().add<RandomNormal>();
}

}  // namespace squall
