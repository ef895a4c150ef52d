// Squared gradients of minibatches.
#include "scores/gathered_score.hpp"

namespace squall {

namespace {

class SquaredGradientScore final : public GatheredScore<SquaredGradientScore> {
 public:
  static constexpr std::string_view kType = "SquaredGradientScore";
  static constexpr std::string_view kDoc =
      "Sum over minibatches of the squared gradient (empirical Fisher information).";
  static constexpr Gathered kGathers = Gathered::SquaredGradients;
  static double score(double /*weight*/, double gathered) { return gathered; }
};

}  // namespace

void register_squared_gradients_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<SquaredGradientScore>();
  catalog.of<WeightScore>().alias("squared_gradients", "SquaredGradientScore");
}

}  // namespace squall
