#include "common/transformer.hpp"

namespace squall {

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

Curve curve_of(TransformerActivation f) {
  return f == TransformerActivation::Gelu       ? Curve::Gelu
         : f == TransformerActivation::GeluTanh ? Curve::GeluTanh
                                                : Curve::Silu;
}

}  // namespace

std::span<const EnumName<TransformerActivation>> enum_names(TransformerActivation) {
  static constexpr std::array<EnumName<TransformerActivation>, 5> kNames{
      {{"relu", TransformerActivation::Rel},
       {"rel", TransformerActivation::Rel},
       {"gelu", TransformerActivation::Gelu},
       {"gelu_tanh", TransformerActivation::GeluTanh},
       {"silu", TransformerActivation::Silu}}};
  return kNames;
}

void TransformerParts::declare(Declare& d, const TransformerOptions& options, const Kind& kind) {
  options_ = options;
  kind_ = kind;
  require_probability(d, options.dropout);
  if (options.dim_feedforward < 1)
    d.fail("option 'dim_feedforward' should be a positive whole number, not ", options.dim_feedforward);
  if (!(options.layer_norm_eps >= 0))
    d.fail("option 'layer_norm_eps' should not be negative, but is ", options.layer_norm_eps);
  x_ = d.input("default", "...");
  sequences_ = memories_ = Sequences::of(d, "default", x_);
  if (sequences_.width != options.d_model)
    d.fail("the width of input 'default' should be d_model = ", options.d_model, ", but it is ", d.shape(x_));
  if (kind.decoder) {
    memory_ = d.input("memory", "...");
    memories_ = Sequences::of(d, "memory", memory_);
    if (memories_.width != options.d_model)
      d.fail("the width of input 'memory' should be d_model = ", options.d_model, ", but it is ", d.shape(memory_));
    d.backward_reads(memory_);
  }
  y_ = d.output("default", d.like(x_));
  d.backward_reads(x_);
  for (int i = 0; i < parts(); ++i)
    if (attends(i)) declare_attention(d, i);
  declare_dense(d);
  const BufferShape whole = d.like(x_);
  for (int i = 0; i < parts(); ++i) {
    norms_[at(i)].declare(d, concat("norm", i + 1, "_"), Shape{options.d_model}, true, options.bias, false);
    drops_[at(i)].declare(d, concat("dropped", i + 1), whole, options.dropout, 10 + i);
    if (i > 0) between_[at(i)] = d.internal(concat("between", i), whole);
    normed_[at(i)] = d.internal(concat("norm", i + 1), whole);
  }
  part_ = d.internal("part", whole, {.life = Life::Forward});
  for (int i = 0; i < 3; ++i) deltas_[at(i)] = d.internal(concat("delta", i), whole, {.life = Life::Backward});
  if (kind.decoder) dmemory_ = d.internal("d_memory", d.like(memory_), {.life = Life::Backward});
}

void TransformerParts::declare_attention(Declare& d, int part) {
  const bool cross = part == 1;
  AttentionBlock::Wanted w;
  w.prefix = cross ? "multihead_attn_" : "self_attn_";
  w.embed = w.kdim = w.vdim = options_.d_model;
  w.heads = options_.nhead;
  w.bias = options_.bias;
  w.causal = !cross && options_.causal;
  w.dropout = options_.dropout;
  w.source = cross ? AttentionBlock::Source::Memory : AttentionBlock::Source::Self;
  w.maskable = kind_.maskable;
  w.fixed = kind_.fixed;
  w.number = part;
  AttentionBlock& block = attention_[at(part)];
  block.declare(d, w, sequences_, d.shape(x_), cross ? memories_ : sequences_, d.shape(cross ? memory_ : x_));
  const std::string of = cross ? "memory_" : kind_.decoder ? "tgt_" : "src_";
  block.masks().declare(d, of + "mask", of + "key_padding_mask", options_.added_masks);
}

void TransformerParts::declare_dense(Declare& d) {
  const Index model = options_.d_model, units = options_.dim_feedforward;
  Projection::Wanted w;
  w.has_bias = options_.bias;
  w.fixed = kind_.fixed;
  const auto declare = [&](Projection& to, const std::string& name, Index in, Index out) {
    w.W = d.parameter(name + "_weight", Shape{out, in}, {.maskable = kind_.maskable});
    if (options_.bias) w.bias = d.parameter(name + "_bias", Shape{out}, {.initial = 0.0, .bias = true});
    w.in = in;
    w.out = w.rows_of_weight = out;
    to.declare(d, w);
  };
  const bool rel = options_.activation == TransformerActivation::Rel;
  w.activation = rel ? Activation::Rel : Activation::Linear;
  declare(wide_, "linear1", model, units);
  w.activation = Activation::Linear;
  declare(narrow_, "linear2", units, model);
  const BufferShape wide = sequences_.like(d.shape(x_), units);
  if (!rel) before_ = d.internal("before_activation", wide);
  hidden_ = d.internal("hidden", wide);
  dhidden_ = d.internal("d_hidden", wide, {.life = Life::Backward});
  inner_drop_.declare(d, "dropped_hidden", wide, options_.dropout, 20);
}

void TransformerParts::prepare(Prepare& p) const {
  const auto queries = SequenceSizes::of(sequences_, p.shape(x_));
  for (int i = 0; i < parts(); ++i) {
    const bool cross = i == 1;
    if (attends(i))
      attention_[at(i)].prepare(p, queries, cross ? SequenceSizes::of(memories_, p.shape(memory_)) : queries, false);
    GroupNormSpec norm;
    norm.examples = queries.rows();
    norm.channels = options_.d_model;
    norm.epsilon = options_.layer_norm_eps;
    norms_[at(i)].prepare(p, norm);
  }
  wide_.prepare(p, queries.rows());
  narrow_.prepare(p, queries.rows());
}

template <class P>
ConstTensor TransformerParts::before(const P& pass, int part) const {
  return part == 0 ? ConstTensor(pass[x_]) : ConstTensor(pass[between_[at(part)]]);
}
// What a part computes with: what comes before it, normalised where the norm comes first.
template <class P>
ConstTensor TransformerParts::input_of(const P& pass, int part) const {
  return options_.norm_first ? ConstTensor(pass[normed_[at(part)]]) : before(pass, part);
}

void TransformerParts::forward(Forward& f) const {
  auto& ops = f.handler().elementwise();
  const Tensor out = f[part_];
  for (int i = 0; i < parts(); ++i) {
    const ConstTensor x = before(f, i);
    const Tensor normed = f[normed_[at(i)]];
    const Tensor next = i + 1 < parts() ? f[between_[at(i + 1)]] : f[y_];
    if (options_.norm_first) norms_[at(i)].forward(f, x, normed);
    run(f, i, input_of(f, i), out);
    drops_[at(i)].forward(f, out);
    ops.binary(Binary::Add, x, out, Sink(options_.norm_first ? next : normed));
    if (!options_.norm_first) norms_[at(i)].forward(f, normed, next);
  }
}

void TransformerParts::run(Forward& f, int part, const ConstTensor& x, const Tensor& out) const {
  if (attends(part)) {
    const ConstTensor keys = part == 1 ? f[memory_] : x;
    return attention_[at(part)].forward(f, x, keys, keys, out);
  }
  const Tensor hidden = f[hidden_];
  const bool rel = options_.activation == TransformerActivation::Rel;
  wide_.forward(f, x, rel ? hidden : f[before_]);
  if (!rel) f.handler().elementwise().curve(curve_of(options_.activation), f[before_], hidden);
  inner_drop_.forward(f, hidden);
  narrow_.forward(f, hidden, out);
}

void TransformerParts::backward(Backward& b) const {
  auto& ops = b.handler().elementwise();
  Tensor now = b[deltas_[0]], next = b[deltas_[1]];
  const Tensor spare = b[deltas_[2]];
  ops.unary(Unary::Copy, b.delta(y_), now);
  for (int i = parts() - 1; i >= 0; --i) {
    if (options_.norm_first) {
      ops.unary(Unary::Copy, now, next);
      drops_[at(i)].backward(b, next);
      run_back(b, i, next, spare);
      norms_[at(i)].backward(b, before(b, i), spare, Sink(now, Write::Add));
    } else {
      norms_[at(i)].backward(b, b[normed_[at(i)]], now, next);
      ops.unary(Unary::Copy, next, now);
      drops_[at(i)].backward(b, now);
      run_back(b, i, now, Sink(next, Write::Add));
      std::swap(now, next);
    }
  }
  ops.unary(Unary::Copy, now, b.delta(x_));
  if (kind_.decoder) ops.unary(Unary::Copy, b[dmemory_], b.delta(memory_));
}

void TransformerParts::run_back(Backward& b, int part, const Tensor& dy, const Sink& dx) const {
  const ConstTensor x = input_of(b, part);
  if (!attends(part)) return dense_back(b, x, dy, dx);
  const bool cross = part == 1;
  const ConstTensor keys = cross ? b[memory_] : x;
  attention_[at(part)].backward(b, x, keys, keys, dy, {}, dx, cross ? Sink(b[dmemory_]) : Sink(), {});
}

void TransformerParts::dense_back(Backward& b, const ConstTensor& x, const Tensor& dy, const Sink& dx) const {
  const Tensor hidden = b[hidden_], dhidden = b[dhidden_];
  narrow_.backward(b, hidden, dy, dy, Sink(dhidden));
  inner_drop_.backward(b, dhidden);
  if (options_.activation != TransformerActivation::Rel)
    b.handler().elementwise().curve_back(curve_of(options_.activation), b[before_], dhidden, Sink(dhidden));
  wide_.backward(b, x, hidden, dhidden, dx);
}

}  // namespace squall
