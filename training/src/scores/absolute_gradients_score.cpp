// Magnitudes of the gradients of minibatches.
#include "scores/gathered_score.hpp"

namespace squall {

namespace {

class AbsoluteGradientScore final : public GatheredScore<AbsoluteGradientScore> {
 public:
  static constexpr std::string_view kType = "AbsoluteGradientScore";
  static constexpr std::string_view kDoc = "Sum over minibatches of the absolute gradient.";
  static constexpr Gathered kGathers = Gathered::AbsoluteGradients;
  static double score(double /*weight*/, double gathered) { return gathered; }
};

}  // namespace

void register_absolute_gradients_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<AbsoluteGradientScore>();
  catalog.of<WeightScore>().alias("absolute_gradients", "AbsoluteGradientScore");
}

}  // namespace squall
