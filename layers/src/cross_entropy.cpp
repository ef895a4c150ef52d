// CrossEntropy: one of several classes, with weights, smoothed targets and targets that do not count.
#include "common/criterion_layer.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

// Class numbers, or a probability for each class.
enum class ClassTargets : std::uint8_t { Indices, Probabilities };
inline std::span<const EnumName<ClassTargets>> enum_names(ClassTargets) {
  static constexpr std::array<EnumName<ClassTargets>, 2> kNames{
      {{"indices", ClassTargets::Indices}, {"probabilities", ClassTargets::Probabilities}}};
  return kNames;
}

struct CrossEntropyOptions {
  ClassTargets targets = ClassTargets::Indices;
  std::vector<double> weight;
  double label_smoothing = 0.0;
  int ignore_index = -100;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("targets", &CrossEntropyOptions::targets,
                       "indices: one class number for each row; probabilities: one for each class"),
                 field("weight", &CrossEntropyOptions::weight, "of classes; none: 1"),
                 field("label_smoothing", &CrossEntropyOptions::label_smoothing,
                       "share of the target that is spread evenly over all classes"),
                 field("ignore_index", &CrossEntropyOptions::ignore_index, "a class number that does not count"),
                 field("reduction", &CrossEntropyOptions::reduction, kReductionHelp)};
};

class CrossEntropy final : public CriterionLayer<CrossEntropy, CrossEntropyOptions> {
 public:
  static constexpr std::string_view kType = "CrossEntropy";
  static constexpr std::string_view kDoc =
      "predictions = softmax over the last axis; loss = - sum over classes of weight times target times "
      "ln(prediction), "
      "one per row. With class numbers the mean is weighted with the weights of the targets, and a mean over nothing "
      "but "
      "ignored targets is NaN.";

  void declare(Declare& d) override {
    slots_[0] = d.input("default", "...");
    if (options.targets == ClassTargets::Indices) {
      declare_labels(d);
    } else {
      slots_[1] = d.input("targets", "...", {.differentiable = false});
      require_equal(d, "default", slots_[0], "targets", slots_[1]);
    }
    require_weights(d, "weight", options.weight, slots_[0]);
    if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
      d.fail("option 'label_smoothing' should be in [0, 1], not ", options.label_smoothing);
    const bool weighted = used(labels_) && options.reduction == Reduction::Mean;
    finish(d, weighted ? Reducer::How::WeightedMean : Reducer::of(options.reduction), one_per_row(d, slots_[0]));
    predictions_ = d.output("predictions", d.like(slots_[0]), {.takes_delta = false});
    d.depends(predictions_, {slots_[0]});
    d.depends(reducer_.loss(), {slots_[0], used(labels_) ? labels_ : slots_[1]});
  }
  CriterionSpec criterion() const {
    CriterionSpec spec;
    spec.criterion = Criterion::CrossEntropy;
    spec.weights = options.weight;
    spec.smoothing = options.label_smoothing;
    spec.ignored = options.ignore_index;
    return spec;
  }
  void forward(Forward& f) const override {
    if (f.active(predictions_)) f.handler().linalg().softmax(as_rows(f[slots_[0]]), as_rows(f[predictions_]));
    CriterionLayer::forward(f);
  }

 private:
  Out predictions_;
};

void register_cross_entropy(Catalog& catalog) { catalog.of<Layer>().add<CrossEntropy>(); }

}  // namespace squall
