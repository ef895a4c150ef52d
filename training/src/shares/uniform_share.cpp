// The same sparsity everywhere.
#include "squall/training/mask_parts.hpp"

namespace squall {

namespace {

class UniformShare final : public DescribedAs<Share, UniformShare, NoOptions> {
 public:
  static constexpr std::string_view kType = "UniformShare";
  static constexpr std::string_view kDoc = "Every tensor loses the same percentage.";
  std::vector<double> sparsities(std::span<const SharedTensor> tensors, double sparsity) const override {
    return std::vector<double>(tensors.size(), sparsity);
  }
};

}  // namespace

void register_uniform_share(Catalog& catalog) {
  catalog.of<Share>().add<UniformShare>();
  catalog.of<Share>().alias("uniform", "UniformShare");
}

}  // namespace squall
