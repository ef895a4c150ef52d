// Recurrent weights whose products neither grow nor vanish on average (Sussillo, Abbott 2014).
#include <algorithm>
#include <cmath>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

enum class WalkActivation : std::uint8_t { Linear, Rel };
std::span<const EnumName<WalkActivation>> enum_names(WalkActivation) {
  static constexpr EnumName<WalkActivation> kNames[] = {{"linear", WalkActivation::Linear},
                                                        {"rel", WalkActivation::Rel}};
  return kNames;
}

struct RandomWalkOptions {
  WalkActivation act_func = WalkActivation::Linear;
  std::optional<double> scale;
  static constexpr auto fields =
      std::tuple{field("act_func", &RandomWalkOptions::act_func, "activation that follows: linear or rel"),
                 field("scale", &RandomWalkOptions::scale, "gain; by the activation if not given")};
};

class RandomWalk final : public DescribedAs<Initializer, RandomWalk, RandomWalkOptions> {
 public:
  static constexpr std::string_view kType = "RandomWalk";
  static constexpr std::string_view kDoc =
      "Normally distributed with deviation gain / sqrt(N), the gain keeping lengths on average.";
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    if (p.shape.rank() != 2 || p.shape[0] != p.shape[1]) unsuited(kType, p, "a square matrix");
    const auto n = static_cast<double>(p.shape[0]);
    fill_normal(values, 0, gain(n) / std::sqrt(n), rng);
  }

 private:
  double gain(double n) const {
    if (options.scale) return *options.scale;
    if (options.act_func == WalkActivation::Linear) return std::exp(1 / (2 * n));
    return std::sqrt(2.0) * std::exp(1.2 / (std::max(n, 6.0) - 2.4));
  }
};

}  // namespace

void register_random_walk_init(Catalog& catalog) { catalog.of<Initializer>().add<RandomWalk>(); }

}  // namespace squall
