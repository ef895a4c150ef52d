// FoldHalves: the two halves of the last axis become one, as the directions of a bidirectional layer do.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

enum class Fold : std::uint8_t { Sum, Average, Multiply };
inline std::span<const EnumName<Fold>> enum_names(Fold) {
  static constexpr std::array<EnumName<Fold>, 3> kNames{
      {{"sum", Fold::Sum}, {"average", Fold::Average}, {"multiply", Fold::Multiply}}};
  return kNames;
}

struct FoldHalvesOptions {
  Fold mode = Fold::Sum;
  static constexpr auto fields = std::tuple{field("mode", &FoldHalvesOptions::mode, "sum, average or multiply")};
};

class FoldHalves final : public LayerOf<FoldHalves, FoldHalvesOptions> {
 public:
  static constexpr std::string_view kType = "FoldHalves";
  static constexpr std::string_view kDoc =
      "The sum, average or product of the two halves of the last axis, element by element: behind a bidirectional LSTM "
      "its directions, which it gives side by side.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    const Index both = d.features(x_)[-1];
    if (both % 2 != 0) d.fail("the last extent of ", d.shape(x_), " should be even: two halves");
    half_ = both / 2;
    const BufferShape shape = d.like(x_, d.features(x_).with_last(half_));
    y_ = d.output("default", shape);
    second_ = d.internal("second", shape);
    if (options.mode == Fold::Multiply) first_ = d.internal("first", shape);
  }
  void forward(Forward& f) const override {
    ElementwiseOps& each = f.handler().elementwise();
    const Tensor first = options.mode == Fold::Multiply ? f[first_] : f[y_], second = f[second_];
    f.handler().linalg().copy_block(ConstMatrix(f[x_]).columns(0, half_), Matrix(first));
    f.handler().linalg().copy_block(ConstMatrix(f[x_]).columns(half_, half_), Matrix(second));
    each.binary(options.mode == Fold::Multiply ? Binary::Multiply : Binary::Add, first, second, f[y_]);
    if (options.mode == Fold::Average) each.affine(f[y_], 0.5, 0.0, f[y_]);
  }
  void backward(Backward& b) const override {
    const Sink dx = b.delta(x_);
    if (!dx) return;
    ElementwiseOps& each = b.handler().elementwise();
    const Tensor dy = b.delta(y_), second = b[second_];
    Tensor first = dy, other = dy;
    if (options.mode == Fold::Average) each.affine(dy, 0.5, 0.0, dy);
    if (options.mode == Fold::Multiply) {
      first = second;
      other = b[first_];
      each.binary(Binary::Multiply, dy, second, first);
      each.binary(Binary::Multiply, dy, other, other);
    }
    b.handler().linalg().copy_block(first, MatrixSink(Matrix(dx.to).columns(0, half_), dx.mode));
    b.handler().linalg().copy_block(other, MatrixSink(Matrix(dx.to).columns(half_, half_), dx.mode));
  }

 private:
  Index half_ = 0;
  In x_;
  Out y_;
  Internal first_, second_;
};

void register_fold_halves(Catalog& catalog) { catalog.of<Layer>().add<FoldHalves>(); }

}  // namespace squall
