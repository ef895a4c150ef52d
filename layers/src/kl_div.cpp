// KlDiv: how far a distribution is from the wanted one.
#include "common/criterion_layer.hpp"

namespace squall {

enum class DivergenceReduction : std::uint8_t { None, Mean, BatchMean, Sum };
inline std::span<const EnumName<DivergenceReduction>> enum_names(DivergenceReduction) {
  static constexpr std::array<EnumName<DivergenceReduction>, 4> kNames{{{"none", DivergenceReduction::None},
                                                                        {"mean", DivergenceReduction::Mean},
                                                                        {"batchmean", DivergenceReduction::BatchMean},
                                                                        {"sum", DivergenceReduction::Sum}}};
  return kNames;
}

struct KlDivOptions {
  bool log_target = false;
  DivergenceReduction reduction = DivergenceReduction::Mean;
  static constexpr auto fields =
      std::tuple{field("log_target", &KlDivOptions::log_target, "whether targets are logarithms, too"),
                 field("reduction", &KlDivOptions::reduction,
                       "none, sum, mean (over all numbers), or batchmean: the sum divided by the batch size, which is "
                       "the divergence")};
};

class KlDiv final : public CriterionLayer<KlDiv, KlDivOptions> {
 public:
  static constexpr std::string_view kType = "KlDiv";
  static constexpr std::string_view kDoc =
      "t (ln t - x) of every log-probability x (default) and probability t (targets); 0 where t is 0.";

  void declare(Declare& d) override { declare_pair(d, how(), false); }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::KlDiv;
    spec.log_target = options.log_target;
    return spec;
  }

 private:
  Reducer::How how() const {
    switch (options.reduction) {
      case DivergenceReduction::None: return Reducer::How::None;
      case DivergenceReduction::Mean: return Reducer::How::Mean;
      case DivergenceReduction::BatchMean: return Reducer::How::BatchMean;
      case DivergenceReduction::Sum: break;
    }
    return Reducer::How::Sum;
  }
};

void register_kl_div(Catalog& catalog) { catalog.of<Layer>().add<KlDiv>(); }

}  // namespace squall
