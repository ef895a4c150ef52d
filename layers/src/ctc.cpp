// Ctc: sequences of labels that are shorter than the sequence they are read from, and not aligned with it.
#include "common/criterion_layer.hpp"

namespace squall {

struct CtcOptions {
  int blank = 0;
  bool zero_infinity = false;
  Reduction reduction = Reduction::Mean;
  static constexpr auto fields =
      std::tuple{field("blank", &CtcOptions::blank, "the class that stands for no label"),
                 field("zero_infinity", &CtcOptions::zero_infinity,
                       "whether labels that cannot be aligned have loss 0 and send nothing back; else it is infinite"),
                 field("reduction", &CtcOptions::reduction,
                       "none: one loss for each sequence; sum; mean: each divided by its number of labels, then the "
                       "mean over the batch")};
};

class Ctc final : public LayerOf<Ctc, CtcOptions> {
 public:
  static constexpr std::string_view kType = "Ctc";
  static constexpr std::string_view kDoc =
      "-ln of the probability that the sequence says these labels, summed over all alignments (connectionist temporal "
      "classification). default: (T, B, classes), a softmax is taken over the classes; targets: (B, longest), class "
      "numbers without the blank; input_lengths, target_lengths: (B, 1), how much of each counts; all where not "
      "connected.";

  void declare(Declare& d) override {
    const InputOptions whole{.dtype = DType::I32, .differentiable = false};
    x_ = d.input("default", "T B *");
    targets_ = d.input("targets", "B *", whole);
    if (d.shape(targets_).batch != d.shape(x_).batch)
      d.fail("inputs 'default' and 'targets' should have the same batch axis, but are ", d.shape(x_), " and ",
             d.shape(targets_));
    const Index classes = d.features(x_)[0];
    if (options.blank < 0 || options.blank >= classes)
      d.fail("option 'blank' should be in 0..", classes - 1, ", not ", options.blank);
    declare_lengths(d, "input_lengths", steps_);
    declare_lengths(d, "target_lengths", labels_);
    plan_ = d.plan<CtcPlan>();
    reducer_.declare(d, Reducer::of(options.reduction), d.like(targets_, Shape{1}), x_);
    d.backward_reads(x_, targets_);
  }
  void prepare(Prepare& p) const override {
    const Shape x = p.shape(x_);
    CtcSpec spec;
    spec.steps = x[0];
    spec.examples = x[1];
    spec.classes = x[2];
    spec.longest = p.shape(targets_)[-1];
    spec.blank = options.blank;
    spec.zero_infinity = options.zero_infinity;
    spec.per_label = options.reduction == Reduction::Mean;
    p.keep(plan_, p.handler().criteria().ctc(spec));
  }
  void forward(Forward& f) const override {
    if (!reducer_.active(f)) return;
    f[plan_].forward(run(f), reducer_.losses(f));
    reducer_.forward(f);
  }
  void backward(Backward& b) const override { b[plan_].backward(run(b), reducer_.backward(b), b.delta(x_)); }

 private:
  void declare_lengths(Declare& d, std::string_view name, In& in) const {
    if (!d.connected(name)) return;
    in = d.input(name, "B 1", {.dtype = DType::I32, .differentiable = false});
    if (d.shape(in).batch != d.shape(x_).batch)
      d.fail("inputs 'default' and '", name, "' should have the same batch axis, but are ", d.shape(x_), " and ",
             d.shape(in));
    d.backward_reads(in);
  }
  template <class P>
  CtcRun run(P& pass) const {
    const auto get = [&](In in) { return in.index < 0 ? ConstTensor() : ConstTensor(pass[in]); };
    return {pass[x_], pass[targets_], get(steps_), get(labels_)};
  }
  In x_, targets_, steps_, labels_;
  Reducer reducer_;
  PlanSlot<CtcPlan> plan_;
};

void register_ctc(Catalog& catalog) { catalog.of<Layer>().add<Ctc>(); }

}  // namespace squall
