// What the loss would lose, to first order, without the weight.
#include "scores/gathered_score.hpp"

namespace squall {

namespace {

class WeightGradientScore final : public GatheredScore<WeightGradientScore> {
 public:
  static constexpr std::string_view kType = "WeightGradientScore";
  static constexpr std::string_view kDoc = "Absolute value of weight times summed gradient (SNIP).";
  static constexpr Gathered kGathers = Gathered::Gradients;
  static double score(double weight, double gathered) { return std::fabs(weight * gathered); }
};

}  // namespace

void register_weight_gradient_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<WeightGradientScore>();
  catalog.of<WeightScore>().alias("weight_gradient", "WeightGradientScore");
}

}  // namespace squall
