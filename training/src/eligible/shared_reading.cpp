// Overlapping reading, disjoint writing.
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class SharedReading final : public DescribedAs<EligibleWeights, SharedReading, NoOptions> {
 public:
  static constexpr std::string_view kType = "SharedReading";
  static constexpr std::string_view kDoc =
      "Weights that no other task owns; a task also reads, but never writes, what the tasks before it own.";
  bool reads_earlier() const override { return true; }
};

}  // namespace

void register_shared_reading(Catalog& catalog) {
  catalog.of<EligibleWeights>().add<SharedReading>();
  catalog.of<EligibleWeights>().alias("shared_reading", "SharedReading");
}

}  // namespace squall
