// Half the squared distance, averaged over rows.
#include "scorers/rows.hpp"

namespace squall {

namespace {

struct MeanSquaredErrorOptions {
  std::string name = "mean_squared_error";
  static constexpr auto fields = std::tuple{field("name", &MeanSquaredErrorOptions::name, "name in logs")};
};

class MeanSquaredError final : public DescribedAs<Scorer, MeanSquaredError, MeanSquaredErrorOptions> {
 public:
  static constexpr std::string_view kType = "MeanSquaredError";
  static constexpr std::string_view kDoc = "Half the squared distance of targets and predictions, summed over columns.";
  void add(const HostArray& predicted, const HostArray& targets, const HostArray& mask, ScoreSum& sum) const override {
    const ScoredRows rows(kType, predicted, targets, mask);
    SQUALL_CHECK(rows.columns() == rows.target_columns(), "MeanSquaredError: targets ", targets.shape(),
                 " should have as many columns as predictions ", predicted.shape());
    for (Index r = 0; r < rows.rows(); ++r) {
      double squares = 0;
      for (Index c = 0; c < rows.columns(); ++c) {
        const double d = rows.target(r, c) - rows.predicted(r, c);
        squares += d * d;
      }
      sum.sum += rows.weight(r) * squares / 2;
      sum.weight += rows.weight(r);
    }
  }
  std::string score_name() const override { return options.name; }
  bool larger_is_better() const override { return false; }
};

}  // namespace

void register_mean_squared_error_score(Catalog& catalog) { catalog.of<Scorer>().add<MeanSquaredError>(); }

}  // namespace squall
