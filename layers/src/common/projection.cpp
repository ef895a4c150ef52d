#include "common/projection.hpp"

#include "common/convolution_layer.hpp"

namespace squall {

namespace {

// A plan with a packed weight of its own.
class OwnedPacked final : public DensePlan {
 public:
  OwnedPacked(const DenseSpec& spec, std::unique_ptr<PackedWeight> weight, std::unique_ptr<DensePlan> inner)
      : DensePlan(spec), weight_(std::move(weight)), inner_(std::move(inner)) {}
  std::string_view kind() const override { return inner_->kind(); }
  std::size_t workspace_bytes() const override { return inner_->workspace_bytes(); }
  std::size_t reserve_bytes() const override { return inner_->reserve_bytes(); }
  void set_workspace(void* memory) override { inner_->set_workspace(memory); }
  void set_reserve(void* memory) override { inner_->set_reserve(memory); }

 protected:
  void do_forward(const ConstTensor& x, const WeightRef& w, const ConstTensor& b, const Tensor& y) override {
    inner_->forward(x, w, b, y);
  }
  void do_backward(const ConstTensor& x, const WeightRef& w, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink& dw, const Sink& db) override {
    inner_->backward(x, w, y, dy, dx, dw, db);
  }

 private:
  std::unique_ptr<PackedWeight> weight_;
  std::unique_ptr<DensePlan> inner_;
};

std::unique_ptr<PackedWeight> rows_of(const PackedWeight& whole, Index first, Index count) {
  auto part = std::make_unique<PackedWeight>();
  part->rows = count;
  part->columns = whole.columns;
  part->format = whole.format;
  const auto at = [&](Index row) { return whole.row_begin[static_cast<std::size_t>(row)]; };
  for (Index r = first; r <= first + count; ++r) part->row_begin.push_back(at(r) - at(first));
  part->column.assign(whole.column.begin() + at(first), whole.column.begin() + at(first + count));
  part->value.assign(whole.value.begin() + at(first), whole.value.begin() + at(first + count));
  return part;
}

}  // namespace

void Projection::prepare(Prepare& p, Index rows) const {
  const PackedWeight* packed = p.packed(wanted_.W);
  DenseSpec spec = dense_spec(rows, wanted_.in, wanted_.out, wanted_.activation, wanted_.has_bias, packed);
  // Only reference plans go back through a packed weight.
  const auto make = [&] {
    const bool slow = wanted_.fixed && packed != nullptr && p.training();
    return slow ? p.handler().dense().reference(spec) : p.handler().dense().plan(spec);
  };
  if (packed == nullptr || !partial()) return p.keep(plan_, make());
  auto part = rows_of(*packed, wanted_.first, wanted_.out);
  spec.packed = part.get();
  auto inner = make();
  p.keep(plan_, std::unique_ptr<DensePlan>(std::make_unique<OwnedPacked>(spec, std::move(part), std::move(inner))));
}

WeightRef Projection::weight(const Pass& pass) const {
  const WeightRef whole = pass.weight(wanted_.W);
  if (!partial()) return whole;
  return {whole.values ? whole.values.slice(wanted_.first, wanted_.out) : ConstTensor(), nullptr};
}
ConstTensor Projection::bias(const Pass& pass) const {
  return wanted_.has_bias ? pass[wanted_.bias].slice(wanted_.first_bias, wanted_.out) : ConstTensor();
}
Sink Projection::weight_gradient(const Backward& b) const {
  const Sink whole = b.gradient(wanted_.W);
  return whole ? Sink(whole.to.slice(wanted_.first, wanted_.out), whole.mode) : whole;
}
Sink Projection::bias_gradient(const Backward& b) const {
  const Sink whole = wanted_.has_bias ? b.gradient(wanted_.bias) : Sink();
  return whole ? Sink(whole.to.slice(wanted_.first_bias, wanted_.out), whole.mode) : whole;
}

void Projection::forward(Forward& f, const ConstTensor& x, const Tensor& y) const {
  run_forward(f[plan_], x, weight(f), bias(f), y);
}
void Projection::backward(Backward& b, const ConstTensor& x, const ConstTensor& y, const Tensor& dy,
                          const Sink& dx) const {
  if (wanted_.fixed) no_gradients(b);
  run_backward(b[plan_], x, weight(b), y, dy, dx, wanted_.fixed ? Sink() : weight_gradient(b),
               wanted_.fixed ? Sink() : bias_gradient(b));
}
void Projection::no_gradients(Backward& b) const {
  no_gradient(b, weight_gradient(b));
  no_gradient(b, bias_gradient(b));
}

}  // namespace squall
