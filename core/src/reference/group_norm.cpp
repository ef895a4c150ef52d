// Normalisation of each example alone, from sums over rows and columns and operations with them.
#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

class GroupNormReference final : public GroupNormPlan {
 public:
  GroupNormReference(Handler& h, const GroupNormSpec& s)
      : GroupNormPlan(s),
        h_(h),
        whole_(workspace_.book(h.dtype(), {s.examples, s.pixels, s.channels})),
        delta_(workspace_.book(h.dtype(), {s.pixels, s.channels})),
        spots_(workspace_.book(h.dtype(), {s.pixels, s.groups})),
        ones_(workspace_.book(h.dtype(), {s.pixels, 1})),
        group_(workspace_.book(h.dtype(), {1, s.groups})),
        xhat_(reserve_.book(h.dtype(), {s.examples, s.pixels, s.channels})),
        inverse_(reserve_.book(h.dtype(), {s.examples, s.groups})) {}
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const ConstTensor& weight, const ConstTensor& bias, const Tensor& y,
                  const Tensor& mean, const Tensor& variance) override {
    h_.elementwise().fill(workspace_[ones_], 1.0);
    const ConstTensor in = x.reshaped(images());
    for (Index n = 0; n < spec().examples; ++n)
      standardise(in.at(n), n, mean ? mean.reshaped(groups()).at(n) : mean,
                  variance ? variance.reshaped(groups()).at(n) : variance);
    const Tensor out = y.reshaped(pixels());
    const Tensor xhat = reserve_[xhat_].reshaped(pixels());
    if (weight)
      h_.linalg().with_row(Binary::Multiply, xhat, weight, out);
    else
      h_.memory().copy(xhat, out);
    if (bias) h_.linalg().with_row(Binary::Add, out, bias, out);
  }

  void do_backward(const ConstTensor&, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx,
                   const Sink& dweight, const Sink& dbias) override {
    const ConstMatrix delta(dy.data(), h_.dtype(), pixels()[0], spec().channels, spec().channels);
    const Tensor product = workspace_[whole_];
    h_.elementwise().binary(Binary::Multiply, dy, reserve_[xhat_], Sink(product));
    h_.linalg().sum_rows({product.data(), h_.dtype(), pixels()[0], spec().channels, spec().channels}, dweight);
    h_.linalg().sum_rows(delta, dbias);
    if (!dx || pixels().elements() == 0) return;
    h_.elementwise().fill(workspace_[ones_], 1.0);
    for (Index n = 0; n < spec().examples; ++n)
      input_delta(n, weight, dy.reshaped(images()).at(n), dx.reshaped(images()).at(n));
  }

 private:
  Shape images() const { return {spec().examples, spec().pixels, spec().channels}; }
  Shape pixels() const { return {spec().examples * spec().pixels, spec().channels}; }
  Shape groups() const { return {spec().examples, spec().groups}; }
  // An example with a row for each group of each pixel.
  Shape parts() const { return {spec().pixels * spec().groups, spec().channels / spec().groups}; }

  // out (groups) = factor times the sum of an example over pixels and the channels of each group
  void sums(const ConstTensor& example, double factor, const Tensor& out) {
    const Tensor spots = workspace_[spots_];
    h_.linalg().sum_columns(example.reshaped(parts()), Sink(spots));
    h_.linalg().sum_rows(spots, Sink(out));
    h_.elementwise().affine(out, factor, 0.0, Sink(out));
  }
  // One number for each row of parts().
  Tensor spread(const ConstTensor& group) {
    const Tensor spots = workspace_[spots_];
    h_.linalg().matmul(workspace_[ones_], group.reshaped({1, spec().groups}), spots);
    return spots;
  }

  void standardise(const ConstTensor& x, Index n, const Tensor& mean_out, const Tensor& variance_out) {
    const double share = 1.0 / static_cast<double>(spec().share());
    const Tensor group = workspace_[group_];
    const Tensor xhat = reserve_[xhat_].at(n);
    const Tensor inverse = reserve_[inverse_].at(n);
    if (spec().centred)
      sums(x, share, group);
    else
      h_.elementwise().fill(group, 0.0);
    if (mean_out) h_.memory().copy(group, mean_out);
    h_.linalg().with_column(Binary::Subtract, x.reshaped(parts()), spread(group), xhat.reshaped(parts()));
    h_.elementwise().unary(Unary::Square, xhat, Sink(workspace_[delta_]));
    sums(workspace_[delta_], share, inverse);
    if (variance_out) h_.memory().copy(inverse, variance_out);
    h_.elementwise().affine(inverse, 1.0, spec().epsilon, Sink(inverse));
    h_.elementwise().unary(Unary::Sqrt, inverse, Sink(inverse));
    h_.elementwise().unary(Unary::Reciprocal, inverse, Sink(inverse));
    h_.linalg().with_column(Binary::Multiply, xhat.reshaped(parts()), spread(inverse), xhat.reshaped(parts()));
  }

  // dx (=, +=) inverse (d - mean(d) - xhat mean(d xhat)) with d = dy weight
  void input_delta(Index n, const ConstTensor& weight, const ConstTensor& dy, const Sink& dx) {
    const double share = 1.0 / static_cast<double>(spec().share());
    const Tensor delta = workspace_[delta_];
    const Tensor along = workspace_[whole_].at(n);
    const Tensor group = workspace_[group_];
    const ConstTensor xhat = reserve_[xhat_].at(n);
    if (weight)
      h_.linalg().with_row(Binary::Multiply, dy, weight, delta);
    else
      h_.memory().copy(dy, delta);
    h_.elementwise().binary(Binary::Multiply, delta, xhat, Sink(along));
    sums(along, share, group);
    h_.linalg().with_column(Binary::Multiply, xhat.reshaped(parts()), spread(group), along.reshaped(parts()));
    if (spec().centred) {
      sums(delta, share, group);
      h_.linalg().with_column(Binary::Subtract, delta.reshaped(parts()), spread(group), delta.reshaped(parts()));
    }
    h_.elementwise().binary(Binary::Subtract, delta, along, Sink(delta));
    h_.linalg().with_column(Binary::Multiply, delta.reshaped(parts()), spread(reserve_[inverse_].at(n)),
                            dx.reshaped(parts()));
  }

  Handler& h_;
  Parts workspace_, reserve_;
  int whole_, delta_, spots_, ones_, group_, xhat_, inverse_;
};

}  // namespace

std::unique_ptr<GroupNormPlan> make_group_norm_reference(Handler& handler, const GroupNormSpec& spec) {
  return std::make_unique<GroupNormReference>(handler, spec);
}

}  // namespace squall
