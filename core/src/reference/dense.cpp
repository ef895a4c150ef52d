// Dense layer from products, sums and activations.
#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

class DenseReference final : public DensePlan {
 public:
  DenseReference(Handler& h, const DenseSpec& spec) : DensePlan(spec), h_(h), unpacked_(own_dense(h, spec.packed)) {}
  std::string_view kind() const override { return "reference"; }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    const Tensor out = y.reshaped({spec().rows, spec().out});
    h_.linalg().matmul(x.reshaped({spec().rows, spec().in}), dense(w).T(), out);
    finish_forward(h_, spec().activation, b, out);
  }

  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    const Shape rows{spec().rows, spec().out};
    const Tensor dz = dy.reshaped(rows);
    if (dz) start_backward(h_, spec().activation, y.reshaped(rows), dz);
    const ConstMatrix dzm(dz.data(), dz.dtype(), rows[0], rows[1], rows[1]);
    const ConstMatrix xm(x.data(), x.dtype(), spec().rows, spec().in, spec().in);
    if (dw) h_.linalg().matmul(dzm.T(), xm, dw.reshaped({spec().out, spec().in}));
    h_.linalg().sum_rows(dzm, db);
    h_.linalg().matmul(dzm, dense(w), dx.reshaped({spec().rows, spec().in}));
  }

 private:
  ConstMatrix dense(const WeightRef& w) const {
    const ConstTensor values = spec().packed != nullptr ? ConstTensor(unpacked_.tensor) : w.values;
    return {values.data(), values.dtype(), spec().out, spec().in, spec().in};
  }

  Handler& h_;
  OwnedTensor unpacked_;
};

}  // namespace

std::unique_ptr<DensePlan> make_dense_reference(Handler& handler, const DenseSpec& spec) {
  return std::make_unique<DenseReference>(handler, spec);
}

}  // namespace squall
