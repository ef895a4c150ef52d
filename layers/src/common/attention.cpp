#include "common/attention.hpp"

#include <cmath>

#include "common/convolution_layer.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

void AttentionMasks::declare(Declare& d, const std::string& mask, const std::string& padding, bool added) {
  const InputOptions how{.dtype = added ? DType::F32 : DType::U8, .differentiable = false};
  mask_name_ = mask;
  padding_name_ = padding;
  has_mask_ = d.connected(mask);
  has_padding_ = d.connected(padding);
  if (has_mask_) {
    mask_ = d.input(mask, "...", how);
    d.backward_reads(mask_);
    batched_ = d.shape(mask_).scales_with_batch();
    if (d.shape(mask_).scales_with_time() || d.features(mask_).rank() < 2)
      d.fail("input '", mask, "' should be (queries, keys), (B, queries, keys) or (B, heads, queries, keys), but is ",
             d.shape(mask_));
  }
  if (!has_padding_) return;
  padding_ = d.input(padding, "...", how);
  d.backward_reads(padding_);
  if (d.features(padding_).rank() != 1 || (d.shape(padding_).scales_with_time() && d.features(padding_)[0] != 1))
    d.fail("input '", padding, "' should be (T, B, 1) or (B, keys), but is ", d.shape(padding_));
}

void AttentionMasks::prepare(Prepare& p, AttentionSpec& spec) const {
  if (has_mask_) {
    const Shape s = p.shape(mask_);
    spec.mask_batch = batched_ ? s[0] : 1;
    spec.mask_heads = s.rank() == (batched_ ? 4 : 3) ? s[-3] : 1;
    if (s[-2] != spec.queries || s[-1] != spec.masked_keys())
      raise<ShapeError>("input '", mask_name_, "' is ", s, ", but there are ", spec.queries, " queries and ",
                        spec.masked_keys(), " keys");
  }
  if (!has_padding_) return;
  const Shape s = p.shape(padding_);
  spec.padding_batch_first = s.rank() < 3;
  const Index keys = spec.padding_batch_first ? s[-1] : s[0];
  if (keys != spec.masked_keys())
    raise<ShapeError>("input '", padding_name_, "' is ", s, ", but there are ", spec.masked_keys(), " keys");
}

void AttentionBlock::declare(Declare& d, const Wanted& wanted, const Sequences& queries, const BufferShape& query,
                             const Sequences& keys, const BufferShape& key) {
  wanted_ = wanted;
  batch_first_ = queries.batch_first;
  if (wanted.heads < 1 || wanted.embed < 1 || wanted.embed % wanted.heads != 0)
    d.fail("the width ", wanted.embed, " cannot be parted into ", wanted.heads, " equal heads");
  if (queries.batch_first != keys.batch_first || query.batch != key.batch)
    d.fail("queries ", query, " and keys ", key, " should be sequences of the same examples in the same layout");
  joint_ = wanted.kdim == wanted.embed && wanted.vdim == wanted.embed;
  declare_parameters(d);
  declare_projections(d);
  plan_ = d.plan<AttentionPlan>();
  const Index e = wanted.embed;
  const auto name = [&](const char* what) { return wanted.prefix + what; };
  constexpr InternalOptions back{.life = Life::Backward};
  const Projection* const products = in_.data();
  constexpr std::array<const char*, 3> names{"queries", "keys", "values"};
  for (int i = 0; i < products_; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const BufferShape shape = i == 0 ? queries.like(query, products[k].out()) : keys.like(key, products[k].out());
    projected_[k] = d.internal(name(names[k]), shape);
    deltas_[k] = d.internal(concat(wanted.prefix, "d_", names[k]), shape, back);
  }
  context_ = d.internal(name("context"), queries.like(query, e));
  dcontext_ = d.internal(name("d_context"), queries.like(query, e), back);
  if (more_keys() == 0) return;
  const Index more = more_keys();
  const BufferShape longer = keys.like(key, e, more);
  const Index rows = keys.batch_first ? 0 : more;
  all_k_ = d.internal(name("all_keys"), longer, {.context = rows});
  all_v_ = d.internal(name("all_values"), longer, {.context = rows});
  dall_k_ = d.internal(name("d_all_keys"), longer, {.context = rows, .life = Life::Backward});
  dall_v_ = d.internal(name("d_all_values"), longer, {.context = rows, .life = Life::Backward});
}

void AttentionBlock::declare_parameters(Declare& d) {
  const Index e = wanted_.embed;
  const auto weight = [&](const char* name, Index rows, Index columns) {
    return d.parameter(wanted_.prefix + name, Shape{rows, columns}, {.maskable = wanted_.maskable});
  };
  const auto bias = [&](const char* name, Index size) {
    return d.parameter(wanted_.prefix + name, Shape{size}, {.initial = 0.0, .bias = true});
  };
  if (joint_) {
    in_weight_ = weight("in_proj_weight", 3 * e, e);
  } else {
    q_weight_ = weight("q_proj_weight", e, e);
    k_weight_ = weight("k_proj_weight", e, wanted_.kdim);
    v_weight_ = weight("v_proj_weight", e, wanted_.vdim);
  }
  if (wanted_.bias) in_bias_ = bias("in_proj_bias", 3 * e);
  out_weight_ = weight("out_proj_weight", e, e);
  if (wanted_.bias) out_bias_ = bias("out_proj_bias", e);
  if (wanted_.bias_kv) bias_k_ = bias("bias_k", e), bias_v_ = bias("bias_v", e);
}

void AttentionBlock::declare_projections(Declare& d) {
  const Index e = wanted_.embed;
  Projection::Wanted w;
  w.bias = in_bias_;
  w.has_bias = wanted_.bias;
  w.fixed = wanted_.fixed;
  const auto add = [&](int i, Param weight, Index in, Index first, Index parts) {
    w.W = weight;
    w.in = in;
    w.out = parts * e;
    w.first = joint_ ? first * e : 0;
    w.first_bias = first * e;
    w.rows_of_weight = joint_ ? 3 * e : e;
    in_[static_cast<std::size_t>(i)].declare(d, w);
    products_ = i + 1;
  };
  if (joint_ && wanted_.source == Source::Self) {
    add(0, in_weight_, e, 0, 3);
  } else if (joint_ && wanted_.source == Source::Memory) {
    add(0, in_weight_, e, 0, 1);
    add(1, in_weight_, e, 1, 2);
  } else {
    add(0, joint_ ? in_weight_ : q_weight_, e, 0, 1);
    add(1, joint_ ? in_weight_ : k_weight_, wanted_.kdim, 1, 1);
    add(2, joint_ ? in_weight_ : v_weight_, wanted_.vdim, 2, 1);
  }
  w.W = out_weight_;
  w.bias = out_bias_;
  w.in = w.out = w.rows_of_weight = e;
  w.first = w.first_bias = 0;
  out_.declare(d, w);
}

void AttentionBlock::prepare(Prepare& p, const SequenceSizes& queries, const SequenceSizes& keys, bool weights) const {
  for (int i = 0; i < products_; ++i)
    in_[static_cast<std::size_t>(i)].prepare(p, i == 0 ? queries.rows() : keys.rows());
  out_.prepare(p, queries.rows());
  AttentionSpec spec;
  spec.batch = queries.batch;
  spec.heads = wanted_.heads;
  spec.queries = queries.length;
  spec.keys = keys.length + more_keys();
  spec.open_keys = more_keys();
  spec.key_dim = spec.value_dim = wanted_.embed / wanted_.heads;
  spec.scale = 1.0 / std::sqrt(static_cast<double>(spec.key_dim));
  spec.causal = wanted_.causal;
  spec.batch_first = batch_first_;
  spec.dropout = wanted_.dropout;
  spec.training = p.training();
  spec.weights = weights;
  spec.averaged = wanted_.averaged;
  masks_.prepare(p, spec);
  p.keep(plan_, p.handler().attention().plan(spec));
}

// Queries, keys and values of all heads inside what the products made.
AttentionBlock::Views AttentionBlock::views(const std::array<Tensor, 3>& projected) const {
  const Index e = wanted_.embed;
  const auto rows = [](const Tensor& t) { return t ? Matrix(as_rows(t)) : Matrix(); };
  const Matrix first = rows(projected[0]), second = rows(projected[1]), third = rows(projected[2]);
  if (products_ == 1) return {first.columns(0, e), first.columns(e, e), first.columns(2 * e, e)};
  if (products_ == 2) return {first, second.columns(0, e), second.columns(e, e)};
  return {first, second, third};
}

// Step `step` of every example.
Matrix AttentionBlock::row_of(const Tensor& all, Index step) const {
  const Index e = wanted_.embed;
  const Matrix rows(as_rows(all));
  const bool one = batch_first_ && all.shape().rank() == 2;
  const Index batch = !batch_first_ ? all.shape()[1] : one ? 1 : all.shape()[0];
  const Index length = rows.nrows / batch;
  auto* data =
      rows.as<std::byte>() + static_cast<std::size_t>(step * e * (batch_first_ ? 1 : batch)) * size_of(all.dtype());
  return {data, all.dtype(), batch, e, batch_first_ ? length * e : e};
}

namespace {

// The steps of `part` at the beginning of each example of `all`, whose rows are (batch, time).
Matrix beginning(const Tensor& all, Index rows, Index width, bool batch_first, Index more) {
  if (!batch_first) return {all.data(), all.dtype(), rows, width, width};
  const Index length = all.shape()[-2];
  const Index batch = all.elements() / (length * width);
  return {all.data(), all.dtype(), batch, (length - more) * width, length * width};
}

}  // namespace

void AttentionBlock::append(const Pass& pass, const Matrix& from, const Tensor& all, Param bias) const {
  auto& ops = pass.handler().linalg();
  const Index e = wanted_.embed;
  const Index length = batch_first_ ? all.shape()[-2] : all.shape()[0];
  // The rows of `from` may have others between them, so examples go one after another.
  if (!batch_first_) {
    ops.copy_block(from, beginning(all, from.nrows, e, false, more_keys()));
  } else {
    const Index kept = length - more_keys();
    for (Index n = 0; n * kept < from.nrows; ++n) {
      const auto* source = from.as<std::byte>() + static_cast<std::size_t>(n * kept * from.ld) * size_of(from.dtype);
      auto* target =
          static_cast<std::byte*>(all.data()) + static_cast<std::size_t>(n * length * e) * size_of(from.dtype);
      ops.copy_block({source, from.dtype, kept, e, from.ld}, Matrix(target, from.dtype, kept, e, e));
    }
  }
  Index step = length - more_keys();
  const auto clear = [&](const Matrix& m) {
    ops.matmul({nullptr, m.dtype, m.nrows, 0, 0}, {nullptr, m.dtype, 0, m.ncols, 0}, m);
  };
  if (wanted_.bias_kv) {
    const Matrix row = row_of(all, step++);
    clear(row);
    ops.with_row(Binary::Add, row, pass[bias], row);
  }
  if (wanted_.zero_key) clear(row_of(all, step));
}

void AttentionBlock::take_back(Backward& b, const Tensor& all, const Matrix& to, Param bias) const {
  auto& ops = b.handler().linalg();
  const Index e = wanted_.embed;
  const Index length = batch_first_ ? all.shape()[-2] : all.shape()[0];
  const Index kept = length - more_keys();
  if (wanted_.bias_kv) ops.sum_rows(row_of(all, kept), b.gradient(bias));
  if (!batch_first_) return ops.copy_block(beginning(all, to.nrows, e, false, more_keys()), to);
  for (Index n = 0; n * kept < to.nrows; ++n) {
    const auto* source =
        static_cast<const std::byte*>(all.data()) + static_cast<std::size_t>(n * length * e) * size_of(to.dtype);
    auto* target = to.as<std::byte>() + static_cast<std::size_t>(n * kept * to.ld) * size_of(to.dtype);
    ops.copy_block({source, to.dtype, kept, e, e}, Matrix(target, to.dtype, kept, e, to.ld));
  }
}

AttentionRun AttentionBlock::run_of(const Pass& pass, const Views& v) const {
  AttentionRun run;
  run.q = v.q;
  run.k = more_keys() > 0 ? Matrix(as_rows(pass[all_k_])) : v.k;
  run.v = more_keys() > 0 ? Matrix(as_rows(pass[all_v_])) : v.v;
  run.y = Matrix(as_rows(pass[context_]));
  run.random = stream_of(pass, wanted_.number);
  return run;
}

void AttentionBlock::forward(Forward& f, const ConstTensor& q, const ConstTensor& k, const ConstTensor& v,
                             const Tensor& y, const Tensor& weights) const {
  const std::array<ConstTensor, 3> inputs{q, k, v};
  std::array<Tensor, 3> projected;
  for (std::size_t i = 0; i < static_cast<std::size_t>(products_); ++i) {
    projected[i] = f[projected_[i]];
    in_[i].forward(f, inputs[i], projected[i]);
  }
  const Views all = views(projected);
  if (more_keys() > 0) {
    append(f, all.k, f[all_k_], bias_k_);
    append(f, all.v, f[all_v_], bias_v_);
  }
  AttentionRun run = run_of(f, all);
  masks_.give(f, run);
  if (f[plan_].spec().weights) run.weights = weights;
  f[plan_].forward(run);
  if (y) out_.forward(f, f[context_], y);
}

void AttentionBlock::backward(Backward& b, const ConstTensor& q, const ConstTensor& k, const ConstTensor& v,
                              const Tensor& dy, const ConstTensor& dweights, const Sink& dq, const Sink& dk,
                              const Sink& dv) const {
  std::array<Tensor, 3> projected, deltas;
  for (std::size_t i = 0; i < static_cast<std::size_t>(products_); ++i)
    projected[i] = b[projected_[i]], deltas[i] = b[deltas_[i]];
  AttentionDeltas d;
  if (dy) {
    out_.backward(b, b[context_], dy, dy, Sink(b[dcontext_]));
    d.dy = Matrix(as_rows(b[dcontext_]));
  } else {
    out_.no_gradients(b);
  }
  d.dweights = dweights;
  const Views back = views(deltas);
  d.dq = back.q;
  d.dk = more_keys() > 0 ? Matrix(as_rows(b[dall_k_])) : back.k;
  d.dv = more_keys() > 0 ? Matrix(as_rows(b[dall_v_])) : back.v;
  AttentionRun run = run_of(b, views(projected));
  masks_.give(b, run);
  b[plan_].backward(run, d);
  if (more_keys() > 0) {
    take_back(b, b[dall_k_], back.k, bias_k_);
    take_back(b, b[dall_v_], back.v, bias_v_);
  }
  const std::array<ConstTensor, 3> inputs{q, k, v};
  const std::array<Sink, 3> sinks{dq, dk, dv};
  for (std::size_t i = 0; i < static_cast<std::size_t>(products_); ++i)
    in_[i].backward(b, inputs[i], deltas[i], deltas[i], sinks[i]);
}

}  // namespace squall
