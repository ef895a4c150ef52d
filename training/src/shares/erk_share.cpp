// Random graphs that know of kernels.
#include "shares/random_graph_share.hpp"

namespace squall {

namespace {

class ErkShare final : public RandomGraphShare<ErkShare> {
 public:
  static constexpr std::string_view kType = "ErkShare";
  static constexpr std::string_view kDoc =
      "Densities in proportion to the sum of a tensor's extents, kernels included, over their product; all together "
      "keep the share that is wanted.";
  static constexpr bool kKernel = true;
};

}  // namespace

void register_erk_share(Catalog& catalog) {
  catalog.of<Share>().add<ErkShare>();
  catalog.of<Share>().alias("erk", "ErkShare");
}

}  // namespace squall
