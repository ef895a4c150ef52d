// Uniform, scaled by the number of inputs and the activation that follows.
#include "initializers/dense_scale.hpp"
#include "initializers/shapes.hpp"

namespace squall {

namespace {

class DenseSqrtFanIn final : public DescribedAs<Initializer, DenseSqrtFanIn, DenseScaleOptions> {
 public:
  static constexpr std::string_view kType = "DenseSqrtFanIn";
  static constexpr std::string_view kDoc = "Uniform in +-scale / sqrt(inputs); scale by the activation or a number.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    check_dense_scale(options.scale, where, problems);
  }
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    need_matrix(kType, p);
    const double limit = dense_scale(options.scale, 6, 3) / std::sqrt(static_cast<double>(p.shape.from(1).elements()));
    for (double& v : values) v = limit * rng.uniform(-1, 1);
  }
};

}  // namespace

void register_dense_sqrt_fan_in_init(Catalog& catalog) { catalog.of<Initializer>().add<DenseSqrtFanIn>(); }

}  // namespace squall
