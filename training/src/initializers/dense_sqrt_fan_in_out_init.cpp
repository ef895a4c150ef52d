// Uniform, scaled by the numbers of inputs and outputs and the activation that follows.
#include "initializers/dense_scale.hpp"
#include "initializers/shapes.hpp"

namespace squall {

namespace {

class DenseSqrtFanInOut final : public DescribedAs<Initializer, DenseSqrtFanInOut, DenseScaleOptions> {
 public:
  static constexpr std::string_view kType = "DenseSqrtFanInOut";
  static constexpr std::string_view kDoc =
      "Uniform in +-scale / sqrt(inputs + outputs); scale by the activation or a number.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    check_dense_scale(options.scale, where, problems);
  }
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    need_matrix(kType, p);
    const Index fans = p.shape[0] + p.shape.from(1).elements();
    const double limit = dense_scale(options.scale, 12, 6) / std::sqrt(static_cast<double>(fans));
    for (double& v : values) v = limit * rng.uniform(-1, 1);
  }
};

}  // namespace

void register_dense_sqrt_fan_in_out_init(Catalog& catalog) { catalog.of<Initializer>().add<DenseSqrtFanInOut>(); }

}  // namespace squall
