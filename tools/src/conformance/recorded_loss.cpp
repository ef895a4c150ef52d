#include "conformance/recorded_loss.hpp"

#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall::conformance {

namespace {

enum class Kind : std::uint8_t { Mse, Categorical, Binary, Logits, Sum };
constexpr EnumName<Kind> kKinds[] = {{"mse", Kind::Mse},
                                     {"categorical_crossentropy", Kind::Categorical},
                                     {"sparse_categorical_crossentropy", Kind::Categorical},
                                     {"binary_crossentropy", Kind::Binary},
                                     {"cross_entropy", Kind::Logits},
                                     {"sum", Kind::Sum}};
std::span<const EnumName<Kind>> enum_names(Kind) { return kKinds; }

struct RecordedLossOptions {
  Kind kind = Kind::Sum;
  static constexpr auto fields = std::tuple{field("kind", &RecordedLossOptions::kind, "which loss")};
};

class RecordedLoss final : public LayerOf<RecordedLoss, RecordedLossOptions> {
 public:
  static constexpr std::string_view kType = "RecordedLoss";
  static constexpr std::string_view kDoc = "A loss as recorded, one-hot targets, mean over the batch";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    if (options.kind != Kind::Sum) y_ = d.input("targets", "...", {.differentiable = false});
    BufferShape one;
    one.features = Shape{1};
    loss_ = d.output("loss", one, {.takes_delta = false, .loss = true});
    a_ = d.internal("a", d.like(x_), {.life = Life::Both});
    b_ = d.internal("b", d.like(x_), {.life = Life::Both});
    size_ = d.feature_size(x_);
    if (options.kind != Kind::Sum) d.backward_reads(x_, y_);
  }

  void forward(Forward& f) const override {
    auto& ops = f.handler().elementwise();
    const Tensor a = f[a_], b = f[b_];
    switch (options.kind) {
      case Kind::Sum: ops.unary(Unary::Copy, f[x_], a); break;
      case Kind::Mse:
        ops.binary(Binary::Subtract, f[x_], f[y_], a);
        ops.unary(Unary::Square, a, a);
        break;
      case Kind::Categorical:
        ops.unary(Unary::Log, f[x_], a);
        ops.binary(Binary::Multiply, a, f[y_], a);
        break;
      case Kind::Logits:
        f.handler().linalg().softmax(f[x_], a);
        ops.unary(Unary::Log, a, a);
        ops.binary(Binary::Multiply, a, f[y_], a);
        break;
      case Kind::Binary:
        ops.unary(Unary::Log, f[x_], a);
        ops.binary(Binary::Multiply, a, f[y_], a);
        ops.affine(f[x_], -1, 1, b);
        ops.unary(Unary::Log, b, b);
        ops.binary(Binary::Add, a, b, a);
        ops.binary(Binary::Multiply, b, f[y_], b);
        ops.binary(Binary::Subtract, a, b, a);
        break;
    }
    f.handler().linalg().sum_all(a, f[loss_]);
    ops.affine(f[loss_], sign() * scale(f), 0, f[loss_]);
  }

  void backward(Backward& back) const override {
    auto& ops = back.handler().elementwise();
    const Sink dx = back.delta(x_);
    if (!dx) return;
    const Tensor a = back[a_], b = back[b_];
    double factor = scale(back);
    switch (options.kind) {
      case Kind::Sum: ops.fill(a, 1); break;
      case Kind::Mse:
        ops.binary(Binary::Subtract, back[x_], back[y_], a);
        factor *= 2;
        break;
      case Kind::Categorical:
        ops.binary(Binary::Divide, back[y_], back[x_], a);
        factor = -factor;
        break;
      case Kind::Logits:
        back.handler().linalg().softmax(back[x_], a);
        ops.binary(Binary::Subtract, a, back[y_], a);
        break;
      case Kind::Binary:
        ops.binary(Binary::Subtract, back[x_], back[y_], a);
        ops.affine(back[x_], -1, 1, b);
        ops.binary(Binary::Multiply, b, back[x_], b);
        ops.binary(Binary::Divide, a, b, a);
        break;
    }
    ops.affine(a, factor, 0, dx);
  }

 private:
  double sign() const { return options.kind == Kind::Sum || options.kind == Kind::Mse ? 1 : -1; }
  // Means over the last axis where the loss has one, and over the batch.
  double scale(const Pass& p) const {
    const bool mean = options.kind == Kind::Mse || options.kind == Kind::Binary;
    return 1 / (static_cast<double>(p.batch(x_)) * (mean ? static_cast<double>(size_) : 1));
  }

  In x_, y_;
  Out loss_;
  Internal a_, b_;
  Index size_ = 1;
};

}  // namespace

void register_recorded_loss(Catalog& catalog) { catalog.of<Layer>().add<RecordedLoss>(); }

}  // namespace squall::conformance
