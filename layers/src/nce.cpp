// Nce: many classes, learned by telling the right one from noise (Gutmann, Hyvarinen 2010).
#include "common/criterion_layer.hpp"
#include "common/noise_classes.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

enum class NoiseDistribution : std::uint8_t { LogUniform, Uniform };
inline std::span<const EnumName<NoiseDistribution>> enum_names(NoiseDistribution) {
  static constexpr std::array<EnumName<NoiseDistribution>, 2> kNames{
      {{"log_uniform", NoiseDistribution::LogUniform}, {"uniform", NoiseDistribution::Uniform}}};
  return kNames;
}

struct NceOptions {
  Index classes = 0, samples = 0;
  NoiseDistribution distribution = NoiseDistribution::LogUniform;
  std::vector<double> probabilities;
  bool subtract_log_probability = true, remove_accidental_hits = false;
  static constexpr auto fields = std::tuple{
      field("classes", &NceOptions::classes, "number of classes, 0 .. this - 1"),
      field("samples", &NceOptions::samples, "classes of noise drawn for each pass, the same for all examples"),
      field("distribution", &NceOptions::distribution,
            "of the noise: log_uniform (for classes in the order of how often they occur) or uniform"),
      field("probabilities", &NceOptions::probabilities, "of the noise, one for each class, instead of a distribution"),
      field("subtract_log_probability", &NceOptions::subtract_log_probability,
            "whether scores are lowered by the logarithm of how often the noise has the class; without, this is "
            "negative sampling"),
      field("remove_accidental_hits", &NceOptions::remove_accidental_hits,
            "whether noise that is the right class does not count")};
};

class Nce final : public LayerOf<Nce, NceOptions> {
 public:
  static constexpr std::string_view kType = "Nce";
  static constexpr std::string_view kDoc =
      "loss = -ln sigmoid(s_t) - sum over the noise n of ln(1 - sigmoid(s_n)), one per row, to be fed to a Loss; s_c = "
      "W_c x + bias_c - ln(samples p_c) with W (classes, inputs), and p how often the noise has class c. targets are "
      "class numbers t. predictions = softmax(W x + bias), for evaluation; nothing goes back through them.";

  void declare(Declare& d) override {
    check(d);
    x_ = d.input("default", "...");
    targets_ = d.input("targets", "...", {.dtype = DType::I32, .differentiable = false});
    require_one_per_row(d, "targets", targets_, "default", x_);
    width_ = d.features(x_)[-1];
    const BufferShape one = one_per_row(d, x_), noise = d.like(x_, d.features(x_).with_last(options.samples));
    predictions_ =
        d.output("predictions", d.like(x_, d.features(x_).with_last(options.classes)), {.takes_delta = false});
    loss_ = d.output("loss", one);
    d.depends(predictions_, {x_});
    d.depends(loss_, {x_, targets_});
    W_ = d.parameter("W", Shape{options.classes, width_});
    bias_ = d.parameter("bias", Shape{options.classes}, {.bias = true});
    drawn_ = d.internal("noise", fixed(Shape{options.samples}), {.dtype = DType::I32});
    right_ = d.internal("right", one);
    wrong_ = d.internal("wrong", noise);
    if (options.remove_accidental_hits) keep_ = d.internal("keep", noise);
    noise_losses_ = d.internal("noise_losses", noise, {.life = Life::Forward});
    rows_ = d.internal("rows", d.like(x_));
    noise_rows_ = d.internal("noise_rows", fixed(Shape{options.samples, width_}));
    number_ = d.internal("number", one, {.life = Life::Forward});
    noise_numbers_ = d.internal("noise_numbers", fixed(Shape{options.samples, 1}));
    sampler_ = d.plan<NoiseClasses>();
    d.backward_reads(x_, targets_);
  }
  void prepare(Prepare& p) const override {
    std::vector<double> all = options.probabilities;
    if (all.empty())
      all = options.distribution == NoiseDistribution::LogUniform
                ? log_uniform(options.classes)
                : std::vector<double>(static_cast<std::size_t>(options.classes), 1.0);
    p.keep(sampler_, std::make_unique<NoiseClasses>(p.handler(), all, options.samples));
  }
  void forward(Forward& f) const override {
    auto& linalg = f.handler().linalg();
    if (f.active(predictions_)) {
      const Tensor y = as_rows(f[predictions_]);
      linalg.matmul(as_rows(f[x_]), ConstMatrix(f[W_]).T(), y);
      linalg.with_row(Binary::Add, y, f[bias_], y);
      linalg.softmax(y, y);
    }
    if (!f.active(loss_)) return;
    if (!f.given(drawn_)) f[sampler_].draw(f.random(), f[drawn_]);
    score_targets(f);
    score_noise(f);
    if (options.remove_accidental_hits) find_hits(f);
    ElementwiseOps& each = f.handler().elementwise();
    const Tensor loss = f[loss_], losses = f[noise_losses_];
    each.curve(Curve::SoftPlus, f[wrong_], losses, {1.0, kNever});
    if (options.remove_accidental_hits) each.binary(Binary::Multiply, losses, f[keep_], losses);
    linalg.sum_columns(losses, vector(f[number_]));
    each.curve(Curve::LogSigmoid, f[right_], loss);
    each.binary(Binary::Subtract, f[number_], loss, loss);
  }
  void backward(Backward& b) const override {
    ElementwiseOps& each = b.handler().elementwise();
    auto& linalg = b.handler().linalg();
    const Tensor dloss = b.delta(loss_), right = b[right_], wrong = as_rows(b[wrong_]);
    each.activate(Activation::Sigmoid, right, right);
    each.affine(right, 1.0, -1.0, right);
    each.binary(Binary::Multiply, right, dloss, right);
    each.activate(Activation::Sigmoid, wrong, wrong);
    if (options.remove_accidental_hits) each.binary(Binary::Multiply, wrong, as_rows(b[keep_]), wrong);
    linalg.with_column(Binary::Multiply, wrong, vector(dloss), wrong);
    const ConstTensor x = as_rows(b[x_]), targets = vector(b[targets_]);
    const Tensor rows = as_rows(b[rows_]), noise_rows = b[noise_rows_], noise_numbers = b[noise_numbers_];
    if (const Sink dx = as_rows(b.delta(x_))) {
      linalg.matmul(wrong, noise_rows, dx);
      linalg.gather_rows(b[W_], targets, rows);
      linalg.with_column(Binary::Multiply, rows, vector(right), MatrixSink(dx.to, Write::Add));
    }
    if (const Tensor dW = cleared(b, W_)) {
      linalg.with_column(Binary::Multiply, x, vector(right), rows);
      linalg.scatter_add_rows(rows, targets, dW);
      linalg.matmul(ConstMatrix(wrong).T(), x, noise_rows);
      linalg.scatter_add_rows(noise_rows, b[drawn_], dW);
    }
    if (const Tensor dbias = cleared(b, bias_)) {
      const Tensor column = dbias.reshaped(Shape{options.classes, 1});
      linalg.scatter_add_rows(as_rows(right), targets, column);
      linalg.sum_rows(wrong, vector(noise_numbers));
      linalg.scatter_add_rows(noise_numbers, b[drawn_], column);
    }
  }

 private:
  static constexpr double kNever = 1e30;  // softplus is never taken as a line

  void check(Declare& d) const {
    for (const auto& [name, value] : {std::pair("classes", options.classes), std::pair("samples", options.samples)})
      if (value < 1) d.fail("option '", name, "' should be a positive whole number, not ", value);
    if (options.probabilities.empty()) return;
    if (static_cast<Index>(options.probabilities.size()) != options.classes)
      d.fail("option 'probabilities' has ", options.probabilities.size(), " numbers, but there are ", options.classes,
             " classes");
    for (const double p : options.probabilities)
      if (!(p > 0)) d.fail("option 'probabilities' should have numbers above 0 only, not ", p);
  }
  static BufferShape fixed(const Shape& shape) {
    BufferShape out;
    out.features = shape;
    return out;
  }
  template <class T>
  static T vector(const T& x) {
    return x.reshaped(Shape{x.elements()});
  }
  // The gradient, to be added to; empty where nobody wants it.
  static Tensor cleared(Backward& b, Param p) {
    const Sink gradient = b.gradient(p);
    if (gradient && gradient.mode == Write::Overwrite) b.handler().elementwise().fill(gradient.to, 0.0);
    return gradient.to;
  }
  // scores (=, +=) with the bias and the expected number of each class; `number` is scratch, one for each class.
  template <class Apply>
  void shift(Forward& f, const ConstTensor& classes, const Tensor& number, const Apply& apply) const {
    auto& linalg = f.handler().linalg();
    linalg.gather_rows(f[bias_].reshaped(Shape{options.classes, 1}), classes, number);
    apply(Binary::Add);
    if (!options.subtract_log_probability) return;
    linalg.gather_rows(f[sampler_].log_expected(), classes, number);
    apply(Binary::Subtract);
  }
  void score_targets(Forward& f) const {
    auto& linalg = f.handler().linalg();
    const ConstTensor targets = vector(f[targets_]);
    const Tensor rows = as_rows(f[rows_]), right = f[right_], number = as_rows(f[number_]);
    linalg.gather_rows(f[W_], targets, rows);
    f.handler().elementwise().binary(Binary::Multiply, rows, as_rows(f[x_]), rows);
    linalg.sum_columns(rows, vector(right));
    shift(f, targets, number, [&](Binary op) { f.handler().elementwise().binary(op, right, number, right); });
  }
  void score_noise(Forward& f) const {
    auto& linalg = f.handler().linalg();
    const Tensor wrong = as_rows(f[wrong_]), number = f[noise_numbers_];
    linalg.gather_rows(f[W_], f[drawn_], f[noise_rows_]);
    linalg.matmul(as_rows(f[x_]), ConstMatrix(f[noise_rows_]).T(), wrong);
    shift(f, f[drawn_], number, [&](Binary op) { linalg.with_row(op, wrong, vector(number), wrong); });
  }
  // keep = 0 where the noise is the target, else 1.
  void find_hits(Forward& f) const {
    auto& linalg = f.handler().linalg();
    ElementwiseOps& each = f.handler().elementwise();
    const Tensor keep = as_rows(f[keep_]), number = vector(f[number_]), noise = vector(f[noise_numbers_]);
    each.cast(vector(f[targets_]), number);
    each.cast(f[drawn_], noise);
    each.fill(keep, 0.0);
    linalg.with_row(Binary::Add, keep, noise, keep);
    linalg.with_column(Binary::Subtract, keep, number, keep);
    each.unary(Unary::Abs, keep, keep);
    each.clip(keep, 0.0, 1.0, keep);
  }

  Index width_ = 0;
  In x_, targets_;
  Out predictions_, loss_;
  Param W_, bias_;
  Internal drawn_, right_, wrong_, keep_, noise_losses_, rows_, noise_rows_, number_, noise_numbers_;
  PlanSlot<NoiseClasses> sampler_;
};

void register_nce(Catalog& catalog) { catalog.of<Layer>().add<Nce>(); }

}  // namespace squall
