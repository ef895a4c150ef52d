// The layers of multi-head attention: plain, maskable or with given weights.
#pragma once

#include "common/attention.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct MultiHeadAttentionOptions {
  Index embed_dim = 0, num_heads = 1;
  double dropout = 0;
  bool bias = true, add_bias_kv = false, add_zero_attn = false;
  std::optional<Index> kdim, vdim;
  bool causal = false, need_weights = false, average_attn_weights = true;
  std::optional<Index> weight_keys;
  bool added_masks = false;
  static constexpr auto fields = std::tuple{
      field("embed_dim", &MultiHeadAttentionOptions::embed_dim, "width of queries and outputs, parted into the heads"),
      field("num_heads", &MultiHeadAttentionOptions::num_heads, "number of heads"),
      field("dropout", &MultiHeadAttentionOptions::dropout, "share of the attention that is dropped in training"),
      field("bias", &MultiHeadAttentionOptions::bias, "whether the projections have biases"),
      field("add_bias_kv", &MultiHeadAttentionOptions::add_bias_kv, "one more key and value, which are learned"),
      field("add_zero_attn", &MultiHeadAttentionOptions::add_zero_attn, "one more key and value, which are zeros"),
      field("kdim", &MultiHeadAttentionOptions::kdim, "width of keys; default: embed_dim"),
      field("vdim", &MultiHeadAttentionOptions::vdim, "width of values; default: embed_dim"),
      field("causal", &MultiHeadAttentionOptions::causal, "whether a query sees only keys up to its own place"),
      field("need_weights", &MultiHeadAttentionOptions::need_weights, "whether there is an output 'weights'"),
      field("average_attn_weights", &MultiHeadAttentionOptions::average_attn_weights,
            "whether the weights are averaged over the heads"),
      field("weight_keys", &MultiHeadAttentionOptions::weight_keys,
            "number of keys in the weights of sequences (T, B, width), with added ones"),
      field("added_masks", &MultiHeadAttentionOptions::added_masks,
            "whether masks are real numbers added to the scores; otherwise they are 0 or 1, and 1 forbids")};
};

template <class D, class Options>
class AttentionLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    require_probability(d, options.dropout);
    x_ = d.input("default", "...");
    queries_ = Sequences::of(d, "default", x_);
    AttentionBlock::Wanted w;
    w.source = source(d);
    const In keys = has_key_ ? key_ : x_;
    const In values = has_value_ ? value_ : keys;
    keys_ = Sequences::of(d, has_key_ ? "key" : "default", keys);
    const Sequences value = Sequences::of(d, has_value_ ? "value" : "key", values);
    w.embed = options.embed_dim;
    w.kdim = options.kdim.value_or(w.embed);
    w.vdim = options.vdim.value_or(w.embed);
    const auto width = [&](const char* what, const Sequences& s, Index wanted, In in) {
      if (s.width != wanted) d.fail("the width of ", what, " should be ", wanted, ", but they are ", d.shape(in));
    };
    width("queries", queries_, w.embed, x_);
    width("keys", keys_, w.kdim, keys);
    width("values", value, w.vdim, values);
    if (d.shape(values).time != d.shape(keys).time || value.length != keys_.length ||
        d.shape(values).batch != d.shape(keys).batch)
      d.fail("keys ", d.shape(keys), " and values ", d.shape(values), " should be equally many");
    w.heads = options.num_heads;
    w.bias = options.bias;
    w.bias_kv = options.add_bias_kv;
    w.zero_key = options.add_zero_attn;
    w.causal = options.causal;
    w.dropout = options.dropout;
    w.fixed = D::kFixed;
    if constexpr (requires { options.sparsify; }) w.maskable = options.sparsify;
    w.averaged = options.average_attn_weights;
    block_.declare(d, w, queries_, d.shape(x_), keys_, d.shape(keys));
    block_.masks().declare(d, "attn_mask", "key_padding_mask", options.added_masks);
    y_ = d.output("default", d.like(x_));
    if (options.need_weights) declare_weights(d);
    d.backward_reads(x_);
    if (has_key_) d.backward_reads(key_);
    if (has_value_) d.backward_reads(value_);
  }
  void prepare(Prepare& p) const override {
    const auto queries = SequenceSizes::of(queries_, p.shape(x_));
    const auto keys = SequenceSizes::of(keys_, p.shape(has_key_ ? key_ : x_));
    const bool weights = options.need_weights && p.active(weights_);
    if (weights && options.weight_keys && keys.length + block_.more_keys() != *options.weight_keys)
      raise<ShapeError>("there are ", keys.length + block_.more_keys(), " keys, but option 'weight_keys' is ",
                        *options.weight_keys);
    block_.prepare(p, queries, keys, weights);
  }
  void forward(Forward& f) const override {
    const ConstTensor k = has_key_ ? f[key_] : f[x_];
    const bool weights = options.need_weights && f.active(weights_);
    block_.forward(f, f[x_], k, has_value_ ? f[value_] : k, f.active(y_) ? f[y_] : Tensor(),
                   weights ? f[weights_] : Tensor());
  }
  void backward(Backward& b) const override {
    const ConstTensor k = has_key_ ? b[key_] : b[x_];
    const ConstTensor dweights = options.need_weights ? ConstTensor(b.delta(weights_)) : ConstTensor();
    block_.backward(b, b[x_], k, has_value_ ? b[value_] : k, b.delta(y_), dweights, b.delta(x_),
                    has_key_ ? b.delta(key_) : Sink(), has_value_ ? b.delta(value_) : Sink());
  }

 private:
  AttentionBlock::Source source(Declare& d) {
    has_key_ = d.connected("key");
    has_value_ = d.connected("value");
    if (has_key_) key_ = d.input("key", "...");
    if (has_value_ && !has_key_) d.fail("input 'value' is connected, but 'key' is not");
    if (has_value_) value_ = d.input("value", "...");
    return has_value_ ? AttentionBlock::Source::Three
           : has_key_ ? AttentionBlock::Source::Memory
                      : AttentionBlock::Source::Self;
  }
  void declare_weights(Declare& d) {
    if (!keys_.batch_first && !options.weight_keys)
      d.fail("the weights of sequences (T, B, width) need the option 'weight_keys', the number of keys");
    const Index keys = keys_.batch_first ? keys_.length + block_.more_keys() : *options.weight_keys;
    Shape features = options.average_attn_weights ? Shape{keys} : Shape{options.num_heads, keys};
    if (queries_.batch_first) features = features.with_front(queries_.length);
    weights_ = d.output("weights", d.like(x_, features));
  }
  In x_, key_, value_;
  Out y_, weights_;
  bool has_key_ = false, has_value_ = false;
  Sequences queries_, keys_;
  AttentionBlock block_;
};

}  // namespace squall
