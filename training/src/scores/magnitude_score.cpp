// Magnitude of the weight.
#include <cmath>

#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class MagnitudeScore final : public DescribedAs<WeightScore, MagnitudeScore, NoOptions> {
 public:
  static constexpr std::string_view kType = "MagnitudeScore";
  static constexpr std::string_view kDoc = "Absolute value of the weight.";
  std::vector<double> of(const ScoreInput& in) const override {
    std::vector<double> out(in.weights.begin(), in.weights.end());
    for (double& v : out) v = std::fabs(v);
    return out;
  }
};

}  // namespace

void register_magnitude_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<MagnitudeScore>();
  catalog.of<WeightScore>().alias("magnitude", "MagnitudeScore");
}

}  // namespace squall
