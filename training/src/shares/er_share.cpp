// Random graphs of channels.
#include "shares/random_graph_share.hpp"

namespace squall {

namespace {

class ErShare final : public RandomGraphShare<ErShare> {
 public:
  static constexpr std::string_view kType = "ErShare";
  static constexpr std::string_view kDoc =
      "Densities in proportion to (inputs + units) / (inputs * units): large tensors become sparser, all together keep "
      "the share that is wanted.";
  static constexpr bool kKernel = false;
};

}  // namespace

void register_er_share(Catalog& catalog) {
  catalog.of<Share>().add<ErShare>();
  catalog.of<Share>().alias("er", "ErShare");
}

}  // namespace squall
