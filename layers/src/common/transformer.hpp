// Encoder and decoder layers of transformers (Vaswani et al. 2017): attention to oneself, to a memory (decoder), and
// two dense layers, each with a residual and a layer norm after it or (norm_first) before it.
#pragma once

#include "common/attention.hpp"
#include "common/example_norm.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

enum class TransformerActivation : std::uint8_t { Rel, Gelu, GeluTanh, Silu };
std::span<const EnumName<TransformerActivation>> enum_names(TransformerActivation);  // relu, gelu, gelu_tanh, silu

struct TransformerOptions {
  Index d_model = 0, nhead = 1, dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::Rel;
  double layer_norm_eps = 1e-5;
  bool norm_first = false, bias = true, causal = false, added_masks = false;
  static constexpr auto fields = std::tuple{
      field("d_model", &TransformerOptions::d_model, "width of the sequences"),
      field("nhead", &TransformerOptions::nhead, "number of heads"),
      field("dim_feedforward", &TransformerOptions::dim_feedforward, "units between the two dense layers"),
      field("dropout", &TransformerOptions::dropout,
            "share of the attention, of those units and of what is added that is dropped in training"),
      field("activation", &TransformerOptions::activation, "relu, gelu, gelu_tanh or silu"),
      field("layer_norm_eps", &TransformerOptions::layer_norm_eps, "added to the variance by the layer norms"),
      field("norm_first", &TransformerOptions::norm_first,
            "whether a layer norm comes before each part instead of after its residual"),
      field("bias", &TransformerOptions::bias, "whether products and layer norms have biases"),
      field("causal", &TransformerOptions::causal, "whether the attention to oneself sees only what came before"),
      field("added_masks", &TransformerOptions::added_masks,
            "whether masks are real numbers added to the scores; otherwise they are 0 or 1, and 1 forbids")};
};

// What encoder and decoder do; layers say which and whether weights can be masked or are given.
class TransformerParts {
 public:
  struct Kind {
    bool decoder = false, maskable = false, fixed = false;
  };
  void declare(Declare& d, const TransformerOptions& options, const Kind& kind);
  void prepare(Prepare& p) const;
  void forward(Forward& f) const;
  void backward(Backward& b) const;

 private:
  int parts() const { return kind_.decoder ? 3 : 2; }
  bool attends(int part) const { return part + 1 < parts(); }
  void declare_attention(Declare& d, int part);
  void declare_dense(Declare& d);
  // The input of part `part`, in both passes.
  template <class P>
  ConstTensor before(const P& pass, int part) const;
  template <class P>
  ConstTensor input_of(const P& pass, int part) const;
  void run(Forward& f, int part, const ConstTensor& x, const Tensor& out) const;
  void run_back(Backward& b, int part, const Tensor& dy, const Sink& dx) const;
  void dense_back(Backward& b, const ConstTensor& x, const Tensor& dy, const Sink& dx) const;

  static constexpr std::size_t kMost = 3;
  TransformerOptions options_;
  Kind kind_;
  In x_, memory_;
  Out y_;
  Sequences sequences_, memories_;
  std::array<AttentionBlock, 2> attention_;
  std::array<ExampleNorm, kMost> norms_;
  std::array<Drop, kMost> drops_;
  std::array<Internal, kMost> between_;  // the input of part i; of part 0 it is that of the layer
  std::array<Internal, kMost> normed_;   // norm_first: what part i sees; else what its norm sees
  Projection wide_, narrow_;
  Drop inner_drop_;
  Internal part_, before_, hidden_, dhidden_, dmemory_;
  std::array<Internal, 3> deltas_;
};

template <class D, class Options>
class TransformerLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;
  void declare(Declare& d) override {
    TransformerParts::Kind kind{D::kDecoder, false, D::kFixed};
    if constexpr (requires { options.sparsify; }) kind.maskable = options.sparsify;
    parts_.declare(d, options, kind);
  }
  void prepare(Prepare& p) const override { parts_.prepare(p); }
  void forward(Forward& f) const override { parts_.forward(f); }
  void backward(Backward& b) const override { parts_.backward(b); }

 private:
  TransformerParts parts_;
};

}  // namespace squall
