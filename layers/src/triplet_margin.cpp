// TripletMargin: an anchor should be nearer to its like than to others.
#include "common/criterion_layer.hpp"

namespace squall {

struct TripletMarginOptions {
  double margin = 1.0;
  double p = 2.0;
  double eps = 1e-6;
  bool swap = false;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("margin", &TripletMarginOptions::margin, "by how much"),
                 field("p", &TripletMarginOptions::p, "power of the norm"),
                 field("eps", &TripletMarginOptions::eps, "added to every difference"),
                 field("swap", &TripletMarginOptions::swap, "whether the negative may be measured from the positive"),
                 field("reduction", &TripletMarginOptions::reduction, kReductionHelp)};
};

class TripletMargin final : public CriterionLayer<TripletMargin, TripletMarginOptions> {
 public:
  static constexpr std::string_view kType = "TripletMargin";
  static constexpr std::string_view kDoc =
      "max(0, margin + |anchor - positive + eps| - |anchor - negative + eps|) of each row, with the norm of power p; "
      "with `swap` the negative is measured from the positive where that is nearer.";

  void declare(Declare& d) override {
    slots_[0] = d.input("anchor", "...");
    slots_[1] = d.input("positive", "...");
    slots_[2] = d.input("negative", "...");
    require_equal(d, "anchor", slots_[0], "positive", slots_[1]);
    require_equal(d, "anchor", slots_[0], "negative", slots_[2]);
    if (!(options.p >= 1)) d.fail("option 'p' should be 1 or more, not ", options.p);
    finish(d, Reducer::of(options.reduction), one_per_row(d, slots_[0]));
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::TripletMargin;
    spec.margin = options.margin;
    spec.power = options.p;
    spec.epsilon = options.eps;
    spec.swap = options.swap;
    return spec;
  }
};

void register_triplet_margin(Catalog& catalog) { catalog.of<Layer>().add<TripletMargin>(); }

}  // namespace squall
