// Magnitude of the summed gradient.
#include "scores/gathered_score.hpp"

namespace squall {

namespace {

class GradientScore final : public GatheredScore<GradientScore> {
 public:
  static constexpr std::string_view kType = "GradientScore";
  static constexpr std::string_view kDoc = "Absolute value of the gradient summed over all examples (RSN2).";
  static constexpr Gathered kGathers = Gathered::Gradients;
  static double score(double /*weight*/, double gathered) { return std::fabs(gathered); }
};

}  // namespace

void register_gradients_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<GradientScore>();
  catalog.of<WeightScore>().alias("gradients", "GradientScore");
}

}  // namespace squall
