// Masks that may overlap.
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class AnyWeights final : public DescribedAs<EligibleWeights, AnyWeights, NoOptions> {
 public:
  static constexpr std::string_view kType = "AnyWeights";
  static constexpr std::string_view kDoc = "All weights: tasks choose alone and may overlap.";
  bool exclusive() const override { return false; }
};

}  // namespace

void register_any_weights(Catalog& catalog) {
  catalog.of<EligibleWeights>().add<AnyWeights>();
  catalog.of<EligibleWeights>().alias("any", "AnyWeights");
}

}  // namespace squall
