// Share of rows whose largest prediction is the right one.
#include "scorers/rows.hpp"

namespace squall {

namespace {

struct AccuracyOptions {
  double threshold = 0.5;
  std::string name = "accuracy";
  static constexpr auto fields =
      std::tuple{field("threshold", &AccuracyOptions::threshold, "with one column: from here on the answer is yes"),
                 field("name", &AccuracyOptions::name, "name in logs")};
};

template <class F>
Index largest(Index columns, F&& value) {
  Index best = 0;
  double most = value(0);
  for (Index c = 1; c < columns; ++c) {
    const double v = value(c);
    if (!(v > most)) continue;
    best = c;
    most = v;
  }
  return best;
}

class Accuracy final : public DescribedAs<Scorer, Accuracy, AccuracyOptions> {
 public:
  static constexpr std::string_view kType = "Accuracy";
  static constexpr std::string_view kDoc =
      "Share of right answers; targets are class indices, one-hot rows or yes and no.";
  void add(const HostArray& predicted, const HostArray& targets, const HostArray& mask, ScoreSum& sum) const override {
    const ScoredRows rows(kType, predicted, targets, mask);
    for (Index r = 0; r < rows.rows(); ++r) {
      sum.sum += right(rows, r) ? rows.weight(r) : 0;
      sum.weight += rows.weight(r);
    }
  }
  std::string score_name() const override { return options.name; }
  bool larger_is_better() const override { return true; }

 private:
  bool right(const ScoredRows& rows, Index r) const {
    if (rows.columns() == 1)
      return (rows.predicted(r, 0) >= options.threshold) == (rows.target(r, 0) >= options.threshold);
    const Index answer = largest(rows.columns(), [&](Index c) { return rows.predicted(r, c); });
    if (rows.target_columns() == 1) return static_cast<double>(answer) == rows.target(r, 0);
    return answer == largest(rows.target_columns(), [&](Index c) { return rows.target(r, c); });
  }
};

}  // namespace

void register_accuracy_score(Catalog& catalog) { catalog.of<Scorer>().add<Accuracy>(); }

}  // namespace squall
