// Share of right decisions where every column is one.
#include "scorers/rows.hpp"

namespace squall {

namespace {

struct HammingOptions {
  double threshold = 0.5;
  std::string name = "hamming";
  static constexpr auto fields =
      std::tuple{field("threshold", &HammingOptions::threshold, "predictions from here on mean yes"),
                 field("name", &HammingOptions::name, "name in logs")};
};

class Hamming final : public DescribedAs<Scorer, Hamming, HammingOptions> {
 public:
  static constexpr std::string_view kType = "Hamming";
  static constexpr std::string_view kDoc = "Share of right decisions over all columns of rows of yes and no.";
  void add(const HostArray& predicted, const HostArray& targets, const HostArray& mask, ScoreSum& sum) const override {
    const ScoredRows rows(kType, predicted, targets, mask);
    SQUALL_CHECK(rows.columns() == rows.target_columns(), "Hamming: targets ", targets.shape(),
                 " should have as many columns as predictions ", predicted.shape());
    for (Index r = 0; r < rows.rows(); ++r) {
      Index right = 0;
      for (Index c = 0; c < rows.columns(); ++c)
        right += (rows.predicted(r, c) >= options.threshold) == (rows.target(r, c) != 0) ? 1 : 0;
      sum.sum += rows.weight(r) * static_cast<double>(right) / static_cast<double>(rows.columns());
      sum.weight += rows.weight(r);
    }
  }
  std::string score_name() const override { return options.name; }
  bool larger_is_better() const override { return true; }
};

}  // namespace

void register_hamming_score(Catalog& catalog) { catalog.of<Scorer>().add<Hamming>(); }

}  // namespace squall
