// HingeEmbedding: distances of pairs that are alike or different.
#include "common/criterion_layer.hpp"

namespace squall {

struct HingeEmbeddingOptions {
  double margin = 1.0;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("margin", &HingeEmbeddingOptions::margin, "distance from which on different ones cost nothing"),
                 field("reduction", &HingeEmbeddingOptions::reduction, kReductionHelp)};
};

class HingeEmbedding final : public CriterionLayer<HingeEmbedding, HingeEmbeddingOptions> {
 public:
  static constexpr std::string_view kType = "HingeEmbedding";
  static constexpr std::string_view kDoc =
      "Of every distance x (default): x where the target is 1 (alike), max(0, margin - x) where it is -1 (different).";

  void declare(Declare& d) override { declare_pair(d, options.reduction, false); }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::HingeEmbedding;
    spec.margin = options.margin;
    return spec;
  }
};

void register_hinge_embedding(Catalog& catalog) { catalog.of<Layer>().add<HingeEmbedding>(); }

}  // namespace squall
