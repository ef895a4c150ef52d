// Exclusive masks while the network is still dense.
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class FairWeights final : public DescribedAs<EligibleWeights, FairWeights, NoOptions> {
 public:
  static constexpr std::string_view kType = "FairWeights";
  static constexpr std::string_view kDoc =
      "Weights that no other task owns, at most one T-th of a tensor for each of T tasks: exclusive at every moment, "
      "also while masks are still dense.";
  bool fair() const override { return true; }
};

}  // namespace

void register_fair_weights(Catalog& catalog) {
  catalog.of<EligibleWeights>().add<FairWeights>();
  catalog.of<EligibleWeights>().alias("fair", "FairWeights");
}

}  // namespace squall
