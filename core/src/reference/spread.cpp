// Plans for weights with a pattern of entries, made of plans for dense weights.
#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

// The dense matrix of a pattern, and its gradient, in memory of its own.
class Spread {
 public:
  Spread(Handler& h, const SparsePattern& p)
      : h_(h), elements_(p.rows * p.columns), kept_(p.kept()), index_(places(h, p)) {
    const auto bytes = static_cast<std::size_t>(elements_) * size_of(h.dtype());
    values_ = DeviceBlock(h.memory(), bytes);
    gradient_ = DeviceBlock(h.memory(), bytes);
  }
  WeightRef values(const WeightRef& w, const Shape& shape) const {
    const Tensor dense(values_.data(), h_.dtype(), {elements_, 1});
    h_.memory().zero(dense);
    h_.linalg().scatter_add_rows(w.values.reshaped({kept_, 1}), index_.tensor, dense);
    return {dense.reshaped(shape), nullptr};
  }
  Sink gradient(const Sink& dw, const Shape& shape) const {
    return dw ? Sink(Tensor(gradient_.data(), h_.dtype(), shape)) : Sink();
  }
  void take_gradient(const Sink& dw) const {
    const ConstTensor dense(gradient_.data(), h_.dtype(), {elements_, 1});
    if (dw) h_.linalg().gather_rows(dense, index_.tensor, dw.reshaped({kept_, 1}));
  }

 private:
  static OwnedTensor places(const Handler& h, const SparsePattern& p) {
    HostArray places(DType::I32, {p.kept()});
    auto to = places.span<std::int32_t>();
    for (Index r = 0; r < p.rows; ++r)
      for (Index e = p.row_begin[static_cast<std::size_t>(r)]; e < p.row_begin[static_cast<std::size_t>(r + 1)]; ++e)
        to[static_cast<std::size_t>(e)] =
            static_cast<std::int32_t>(r * p.columns + p.column[static_cast<std::size_t>(e)]);
    return own(h, places.view(), DType::I32);
  }
  Handler& h_;
  Index elements_, kept_;
  OwnedTensor index_;
  DeviceBlock values_, gradient_;
};

// Passes on what a plan books.
template <class P>
class SpreadPlan : public P {
 public:
  template <class Spec>
  SpreadPlan(Handler& h, const Spec& spec, std::unique_ptr<P> dense)
      : P(spec), dense_(std::move(dense)), spread_(h, *spec.pattern), name_("spread " + std::string(dense_->kind())) {}
  std::string_view kind() const override { return name_; }
  std::size_t workspace_bytes() const override { return dense_->workspace_bytes(); }
  std::size_t reserve_bytes() const override { return dense_->reserve_bytes(); }
  void set_workspace(void* block) override { dense_->set_workspace(block); }
  void set_reserve(void* block) override { dense_->set_reserve(block); }

 protected:
  virtual Shape shape() const = 0;
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    dense_->forward(x, spread_.values(w, shape()), b, y);
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    dense_->backward(x, spread_.values(w, shape()), y, dy, dx, spread_.gradient(dw, shape()), db);
    spread_.take_gradient(dw);
  }
  std::unique_ptr<P> dense_;
  Spread spread_;

 private:
  std::string name_;
};

class SpreadDense final : public SpreadPlan<DensePlan> {
 public:
  using SpreadPlan::SpreadPlan;

 protected:
  Shape shape() const override { return {spec().out, spec().in}; }
};

class SpreadConv final : public SpreadPlan<ConvPlan> {
 public:
  using SpreadPlan::SpreadPlan;

 protected:
  Shape shape() const override { return spec().window.filters(spec().filters, spec().group_channels()); }
  void do_input_gradient(const WeightRef& w, const ConstTensor& dy, const Sink& dx) override {
    dense_->input_gradient(spread_.values(w, shape()), dy, dx);
  }
  void do_weight_gradient(const ConstTensor& x, const ConstTensor& dy, const Sink& dw) override {
    dense_->weight_gradient(x, dy, spread_.gradient(dw, shape()));
    spread_.take_gradient(dw);
  }
};

}  // namespace

std::unique_ptr<DensePlan> make_spread_dense(Handler& handler, const DenseSpec& spec,
                                             std::unique_ptr<DensePlan> dense) {
  return std::make_unique<SpreadDense>(handler, spec, std::move(dense));
}

std::unique_ptr<ConvPlan> make_spread_conv(Handler& handler, const ConvSpec& spec, std::unique_ptr<ConvPlan> dense) {
  return std::make_unique<SpreadConv>(handler, spec, std::move(dense));
}

}  // namespace squall
