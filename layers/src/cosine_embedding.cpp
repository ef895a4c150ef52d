// CosineEmbedding: the angle between vectors that are alike or different.
#include "common/criterion_layer.hpp"

namespace squall {

struct CosineEmbeddingOptions {
  double margin = 0.0;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("margin", &CosineEmbeddingOptions::margin, "cosine up to which different ones cost nothing"),
                 field("reduction", &CosineEmbeddingOptions::reduction, kReductionHelp)};
};

class CosineEmbedding final : public CriterionLayer<CosineEmbedding, CosineEmbeddingOptions> {
 public:
  static constexpr std::string_view kType = "CosineEmbedding";
  static constexpr std::string_view kDoc =
      "1 - cos of the angle between the rows of inputs_1 and inputs_2 where the target is 1 (alike), max(0, cos - "
      "margin) where it is -1 (different).";

  void declare(Declare& d) override {
    slots_[0] = d.input("inputs_1", "...");
    slots_[1] = d.input("inputs_2", "...");
    slots_[2] = d.input("targets", "...", {.differentiable = false});
    require_equal(d, "inputs_1", slots_[0], "inputs_2", slots_[1]);
    require_one_per_row(d, "targets", slots_[2], "inputs_1", slots_[0]);
    finish(d, Reducer::of(options.reduction), one_per_row(d, slots_[0]));
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::CosineEmbedding;
    spec.margin = options.margin;
    return spec;
  }
};

void register_cosine_embedding(Catalog& catalog) { catalog.of<Layer>().add<CosineEmbedding>(); }

}  // namespace squall
