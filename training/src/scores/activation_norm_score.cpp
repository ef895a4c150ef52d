// Magnitude of the weight times the norm of what it is multiplied with.
#include <cmath>

#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class ActivationNormScore final : public DescribedAs<WeightScore, ActivationNormScore, NoOptions> {
 public:
  static constexpr std::string_view kType = "ActivationNormScore";
  static constexpr std::string_view kDoc =
      "Absolute value of the weight times the Euclidean norm of its input over the examples (of its channel, for "
      "convolutions).";
  Gathered gathers() const override { return Gathered::SquaredInputs; }
  std::vector<double> of(const ScoreInput& in) const override {
    std::vector<double> out(in.weights.size());
    const auto columns = static_cast<std::size_t>(in.columns);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = std::fabs(in.weights[i]) * std::sqrt(in.gathered[i % columns]);
    return out;
  }
};

}  // namespace

void register_activation_norm_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<ActivationNormScore>();
  catalog.of<WeightScore>().alias("activation_norm", "ActivationNormScore");
}

}  // namespace squall
