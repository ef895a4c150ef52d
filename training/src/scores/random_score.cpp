// Chance: the control every other score has to beat.
#include "squall/core/random.hpp"
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class RandomScore final : public DescribedAs<WeightScore, RandomScore, NoOptions> {
 public:
  static constexpr std::string_view kType = "RandomScore";
  static constexpr std::string_view kDoc = "Uniform random numbers, from the seed and the name of the tensor.";
  std::vector<double> of(const ScoreInput& in) const override {
    std::vector<double> out(in.weights.size());
    Rng rng(in.seed, in.stream);
    for (double& v : out) v = rng.uniform();
    return out;
  }
};

}  // namespace

void register_random_score(Catalog& catalog) {
  catalog.of<WeightScore>().add<RandomScore>();
  catalog.of<WeightScore>().alias("random", "RandomScore");
}

}  // namespace squall
