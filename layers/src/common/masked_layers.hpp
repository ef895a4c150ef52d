// NeuroSurgeon's layers: a dense layer or a convolution whose weights lie under a learned mask of its own.
#pragma once

#include "common/convolution_layer.hpp"
#include "common/dense_layer.hpp"
#include "common/mask_rules.hpp"

namespace squall {

class PlainDense final : public DenseLayer<PlainDense, DenseOptions> {
 public:
  static constexpr std::string_view kType = "Dense", kDoc = "";
  static constexpr bool kFixed = false;
};
template <int N>
class PlainConv final : public ConvolutionLayer<PlainConv<N>, ConvolutionOptions<N>> {
 public:
  static constexpr std::string_view kType = "Conv", kDoc = "";
  static constexpr bool kFixed = false;
};

// What a layer is told of its inputs must be so.
inline void require_inputs(const Declare& d, std::string_view option, const std::optional<Index>& told, Index found) {
  if (told && *told != found) d.fail("option '", option, "' is ", *told, ", but the input has ", found);
}

// Each of these says what its plain layer is made of. `bias` is whether there is one.
struct LinearPart {
  using Plain = PlainDense;
  std::optional<Index> in_features;
  Index out_features = 0;
  bool bias = true;
  static constexpr auto fields =
      std::tuple{field("in_features", &LinearPart::in_features, "checked against the input where it is given"),
                 field("out_features", &LinearPart::out_features, "number of units"),
                 field("bias", &LinearPart::bias, "whether a bias is added")};
  bool has_bias() const { return bias; }
  void tell(Declare& d, DenseOptions& plain) const {
    if (out_features < 1) d.fail("option 'out_features' should be a positive whole number, not ", out_features);
    plain.units = out_features;
    plain.use_bias = bias;
  }
  void check(const Declare& d) const { require_inputs(d, "in_features", in_features, d.feature_size(In{0})); }
};

struct GptConv1DPart {
  using Plain = PlainDense;
  Index nf = 0;
  std::optional<Index> nx;
  static constexpr auto fields = std::tuple{field("nf", &GptConv1DPart::nf, "number of units"),
                                            field("nx", &GptConv1DPart::nx, "inputs, checked where it is given")};
  static bool has_bias() { return true; }
  void tell(Declare& d, DenseOptions& plain) const {
    if (nf < 1) d.fail("option 'nf' should be a positive whole number, not ", nf);
    plain.units = nf;
  }
  void check(const Declare& d) const { require_inputs(d, "nx", nx, d.feature_size(In{0})); }
};

template <int N>
struct ConvPart {
  using Plain = PlainConv<N>;
  std::optional<Index> in_channels;
  Index out_channels = 0;
  std::optional<PerAxis<N>> kernel_size;
  PaddingOf<N> padding;
  PerAxis<N> stride = PerAxis<N>::all(1), dilation = PerAxis<N>::all(1);
  Index groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::Zeros;
  static constexpr auto fields =
      std::tuple{field("in_channels", &ConvPart::in_channels, "checked against the input where it is given"),
                 field("out_channels", &ConvPart::out_channels, "number of filters"),
                 field("kernel_size", &ConvPart::kernel_size, "extent of a filter: one number or one for each axis"),
                 field("padding", &ConvPart::padding, "a number, one for each axis, 'same' or 'valid'"),
                 field("stride", &ConvPart::stride, "steps: one number or one for each axis"),
                 field("dilation", &ConvPart::dilation, "distance of a filter's taps; 1: neighbours"),
                 field("groups", &ConvPart::groups, "parts of channels and filters"),
                 field("bias", &ConvPart::bias, "whether a bias is added"),
                 field("padding_mode", &ConvPart::padding_mode, "zeros, reflect, replicate or circular")};
  bool has_bias() const { return bias; }
  void tell(Declare& d, ConvolutionOptions<N>& plain) const {
    if (out_channels < 1) d.fail("option 'out_channels' should be a positive whole number, not ", out_channels);
    if (!kernel_size) d.fail("option 'kernel_size' is missing");
    plain.filters = out_channels;
    plain.kernel_size = *kernel_size;
    plain.padding = padding;
    plain.strides = stride;
    plain.dilation = dilation;
    plain.groups = groups;
    plain.padding_mode = padding_mode;
    plain.use_bias = bias;
  }
  void check(const Declare& d) const {
    const Shape& features = d.features(In{0});
    require_inputs(d, "in_channels", in_channels, features[features.rank() - 1]);
  }
};

// The options of both; the base is trained unless it is frozen, as the originals' is.
template <class Part, class MaskPart>
struct MaskedLayerOptions : Part, MaskPart {
  MaskedLayerOptions() {
    this->freeze_weights = false;
    if constexpr (std::is_same_v<Part, GptConv1DPart>) this->random_values = Replacement::Normal;
  }
  static constexpr auto fields = std::tuple_cat(Part::fields, MaskPart::fields);
};

template <class D, class Part, class Rule>
class MaskedLayer : public LayerOf<D, MaskedLayerOptions<Part, typename Rule::Options>> {
 public:
  using LayerOf<D, MaskedLayerOptions<Part, typename Rule::Options>>::options;

  void declare(Declare& d) override {
    const bool biases = options.mask_bias || options.tie_bias;
    if (biases && !options.has_bias())
      d.fail("option '", options.mask_bias ? "mask_bias" : "tie_bias", "' needs a bias, and there is none");
    options.tell(d, plain_.options);
    plain_.declare(d);
    options.check(d);
    auto rule = std::make_shared<Rule>();
    static_cast<typename Rule::Options&>(rule->options) = options;
    d.mask(Param{0}, rule);  // the weight is declared first
    if (biases) d.mask(Param{1}, rule);
  }
  void prepare(Prepare& p) const override { plain_.prepare(p); }
  void forward(Forward& f) const override { plain_.forward(f); }
  void backward(Backward& b) const override { plain_.backward(b); }

 private:
  typename Part::Plain plain_;
};

}  // namespace squall
