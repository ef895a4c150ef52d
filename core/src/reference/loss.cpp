// Softmax with cross entropy from operations on rows.
#include <cmath>

#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

class SoftmaxCeReference final : public SoftmaxCePlan {
 public:
  SoftmaxCeReference(Handler& h, const SoftmaxCeSpec& spec)
      : SoftmaxCePlan(spec),
        h_(h),
        scratch_(workspace_.book(h.dtype(), {spec.rows, spec.classes})),
        row_(workspace_.book(h.dtype(), {spec.rows})),
        host_targets_(static_cast<std::size_t>(spec.rows)) {}
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& targets, const Tensor& p, const Tensor& loss) override {
    if (targets) check_targets(targets);
    const ConstTensor rows = x.reshaped({spec().rows, spec().classes});
    h_.linalg().softmax(rows, p.reshaped({spec().rows, spec().classes}));
    if (!loss) return;
    const Tensor shifted = workspace_[scratch_];
    const Tensor row = workspace_[row_];
    h_.linalg().max_columns(rows, row);
    h_.linalg().with_column(Binary::Subtract, rows, row, shifted);
    h_.linalg().pick(shifted, targets, Sink(loss));
    h_.elementwise().unary(Unary::Exp, shifted, Sink(shifted));
    h_.linalg().sum_columns(shifted, Sink(row));
    h_.elementwise().unary(Unary::Log, row, Sink(row));
    h_.elementwise().binary(Binary::Subtract, row, loss, Sink(loss));
    h_.elementwise().clip(loss, 0.0, -std::log(1e-6), Sink(loss));
  }

  void do_backward(const ConstTensor& p, const ConstTensor& targets, const ConstTensor& dloss,
                   const Sink& dx) override {
    const Tensor scratch = workspace_[scratch_];
    h_.linalg().one_hot(targets, scratch);
    h_.elementwise().binary(Binary::Subtract, p, scratch, Sink(scratch));
    h_.linalg().with_column(Binary::Multiply, scratch, dloss, dx.reshaped({spec().rows, spec().classes}));
  }

 private:
  void check_targets(const ConstTensor& targets) {
    h_.memory().download(targets, Tensor(host_targets_.data(), DType::I32, Shape{spec().rows}));
    for (std::size_t i = 0; i < host_targets_.size(); ++i)
      if (host_targets_[i] < 0 || host_targets_[i] >= spec().classes)
        raise<DataError>("softmax cross entropy: target ", host_targets_[i], " of row ", i, " is not in 0..",
                         spec().classes - 1);
  }

  Handler& h_;
  Parts workspace_;
  int scratch_, row_;
  std::vector<std::int32_t> host_targets_;  // made with the plan: nothing is allocated while it runs
};

}  // namespace

std::unique_ptr<SoftmaxCePlan> make_softmax_ce_reference(Handler& handler, const SoftmaxCeSpec& spec) {
  return std::make_unique<SoftmaxCeReference>(handler, spec);
}

}  // namespace squall
