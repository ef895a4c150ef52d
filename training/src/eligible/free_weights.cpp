// Exclusive masks.
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class FreeWeights final : public DescribedAs<EligibleWeights, FreeWeights, NoOptions> {
 public:
  static constexpr std::string_view kType = "FreeWeights";
  static constexpr std::string_view kDoc =
      "Weights that no other task owns; tasks that want more than there is are refused.";
};

}  // namespace

void register_free_weights(Catalog& catalog) {
  catalog.of<EligibleWeights>().add<FreeWeights>();
  catalog.of<EligibleWeights>().alias("free", "FreeWeights");
}

}  // namespace squall
