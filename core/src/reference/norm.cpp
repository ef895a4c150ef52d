// Batch normalisation from sums over rows and operations with a row.
#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/memory.hpp"

namespace squall {

namespace {

class BatchNormReference final : public BatchNormPlan {
 public:
  BatchNormReference(Handler& h, const BatchNormSpec& spec)
      : BatchNormPlan(spec),
        h_(h),
        scratch_(workspace_.book(h.dtype(), {spec.rows, spec.channels})),
        row0_(workspace_.book(h.dtype(), {spec.channels})),
        row1_(workspace_.book(h.dtype(), {spec.channels})),
        rate_(workspace_.book(h.dtype(), {1})),
        xhat_(reserve_.book(h.dtype(), {spec.rows, spec.channels})),
        spread_(reserve_.book(h.dtype(), {spec.channels})) {}
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& beta, const Tensor& mu,
                  const Tensor& sigma, bool training, const Tensor& y, const Tensor& count) override {
    const Tensor out = y.reshaped(rows());
    if (training) {
      start_moving(count);
      standardise_by_batch(x.reshaped(rows()), mu, sigma);
    } else {
      standardise_by_running(x.reshaped(rows()), mu, sigma);
    }
    if (gamma)
      h_.linalg().with_row(Binary::Multiply, reserve_[xhat_], gamma, out);
    else
      h_.memory().copy(reserve_[xhat_], out);
    if (beta) h_.linalg().with_row(Binary::Add, out, beta, out);
  }

  void do_backward(const ConstTensor& x, const ConstTensor& gamma, const ConstTensor& mu, const ConstTensor& sigma,
                   bool training, const ConstTensor& dy, const Sink& dx, const Sink& dgamma,
                   const Sink& dbeta) override {
    const ConstTensor delta = rows().elements() > 0 ? dy.reshaped(rows()) : dy;
    const Tensor scratch = workspace_[scratch_];
    if (!training && rows().elements() > 0) standardise_by_running(x.reshaped(rows()), mu, sigma);
    h_.elementwise().binary(Binary::Multiply, delta, reserve_[xhat_], Sink(scratch));
    h_.linalg().sum_rows(matrix(scratch), dgamma);
    h_.linalg().sum_rows(matrix(delta), dbeta);
    if (!dx || rows().elements() == 0) return;
    if (!training) return scaled(delta, gamma, reserve_[spread_], dx);
    remove_means(delta);
    scaled(scratch, gamma, reserve_[spread_], dx);
  }

 private:
  Shape rows() const { return {spec().rows, spec().channels}; }
  ConstMatrix matrix(const ConstTensor& x) const {
    return {x.data(), h_.dtype(), spec().rows, spec().channels, spec().channels};
  }

  void standardise_by_batch(const ConstTensor& x, const Tensor& mu, const Tensor& sigma) {
    const double share = 1.0 / static_cast<double>(spec().rows);
    const Tensor xhat = reserve_[xhat_];
    const Tensor spread = reserve_[spread_];
    const Tensor mean = workspace_[row0_];
    h_.linalg().sum_rows(x, Sink(mean));
    h_.elementwise().affine(mean, share, 0.0, Sink(mean));
    h_.linalg().with_row(Binary::Subtract, x, mean, xhat);
    h_.elementwise().unary(Unary::Square, xhat, Sink(workspace_[scratch_]));
    h_.linalg().sum_rows(workspace_[scratch_], Sink(spread));
    h_.elementwise().affine(spread, share, 0.0, Sink(spread));
    if (mu && spec().running == Running::Variance) move(sigma, spread, spread_of_rows());
    h_.elementwise().affine(spread, 1.0, spec().epsilon, Sink(spread));
    h_.elementwise().unary(Unary::Sqrt, spread, Sink(spread));
    h_.linalg().with_row(Binary::Divide, xhat, spread, xhat);
    if (!mu) return;
    move(mu, mean, spec().running == Running::Deviation ? -1.0 : 1.0);
    if (spec().running == Running::Deviation) move(sigma, spread, 1.0);
  }
  double spread_of_rows() const {
    const auto n = static_cast<double>(spec().rows);
    return spec().unbiased && spec().rows > 1 ? n / (n - 1) : 1.0;
  }

  // xhat = (x - mean) / spread, by the running statistics.
  void standardise_by_running(const ConstTensor& x, const ConstTensor& mu, const ConstTensor& sigma) {
    const Tensor spread = reserve_[spread_];
    const bool deviation = spec().running == Running::Deviation;
    h_.elementwise().affine(sigma, 1.0, deviation ? 0.0 : spec().epsilon, Sink(spread));
    if (!deviation) h_.elementwise().unary(Unary::Sqrt, spread, Sink(spread));
    h_.linalg().with_row(deviation ? Binary::Add : Binary::Subtract, x, mu, reserve_[xhat_]);
    h_.linalg().with_row(Binary::Divide, reserve_[xhat_], spread, reserve_[xhat_]);
  }

  // Counts the pass; the share of the batch in cumulative statistics is one of them.
  void start_moving(const Tensor& count) {
    if (!count) return;
    h_.elementwise().affine(count, 1.0, 1.0, Sink(count));
    h_.elementwise().unary(Unary::Reciprocal, count, Sink(workspace_[rate_]));
  }
  // running = decay running + (1 - decay) factor batch
  void move(const Tensor& running, const ConstTensor& batch, double factor) {
    if (!spec().cumulative) {
      h_.elementwise().affine(running, spec().decay, 0.0, Sink(running));
      h_.elementwise().affine(batch, factor * (1.0 - spec().decay), 0.0, Sink(running, Write::Add));
      return;
    }
    const Tensor step = workspace_[row1_];
    h_.elementwise().affine(batch, factor, 0.0, Sink(step));
    h_.elementwise().binary(Binary::Subtract, step, running, Sink(step));
    const Shape column{spec().channels, 1};
    h_.linalg().with_row(Binary::Multiply, step.reshaped(column), workspace_[rate_],
                         MatrixSink(running.reshaped(column), Write::Add));
  }

  // scratch = dy - xhat mean(dy xhat) - mean(dy); scratch holds dy xhat before.
  void remove_means(const ConstTensor& dy) {
    const double share = 1.0 / static_cast<double>(spec().rows);
    const Tensor scratch = workspace_[scratch_];
    const Tensor along = workspace_[row0_];
    const Tensor mean = workspace_[row1_];
    h_.linalg().sum_rows(scratch, Sink(along));
    h_.elementwise().affine(along, share, 0.0, Sink(along));
    h_.linalg().sum_rows(dy, Sink(mean));
    h_.elementwise().affine(mean, share, 0.0, Sink(mean));
    h_.linalg().with_row(Binary::Multiply, reserve_[xhat_], along, scratch);
    h_.elementwise().binary(Binary::Subtract, dy, scratch, Sink(scratch));
    h_.linalg().with_row(Binary::Subtract, scratch, mean, scratch);
  }

  // dx (=, +=) g gamma / spread
  void scaled(const ConstTensor& g, const ConstTensor& gamma, const ConstTensor& spread, const Sink& dx) {
    const Tensor factor = workspace_[row0_];
    h_.elementwise().unary(Unary::Reciprocal, spread, Sink(factor));
    if (gamma) h_.elementwise().binary(Binary::Multiply, gamma, factor, Sink(factor));
    h_.linalg().with_row(Binary::Multiply, g, factor, dx.reshaped(rows()));
  }

  Handler& h_;
  Parts workspace_, reserve_;
  int scratch_, row0_, row1_, rate_, xhat_, spread_;
};

}  // namespace

std::unique_ptr<BatchNormPlan> make_batch_norm_reference(Handler& handler, const BatchNormSpec& spec) {
  return std::make_unique<BatchNormReference>(handler, spec);
}

}  // namespace squall
