// Layers that normalise every example over its last axes, and what layers of images with channels share.
#pragma once

#include "common/declarations.hpp"
#include "common/example_norm.hpp"

namespace squall {

inline void require_epsilon(const Declare& d, double epsilon) {
  if (!(epsilon >= 0)) d.fail("option 'epsilon' should not be negative, but is ", epsilon);
}
inline void require_momentum(const Declare& d, const std::optional<double>& momentum) {
  if (momentum && !(*momentum >= 0 && *momentum <= 1))
    d.fail("option 'momentum' should be in [0, 1] or null, not ", *momentum);
}

// What an option says, or the last axis.
inline Shape axes_or_last(const Declare& d, In x, const Extents& option) {
  return option.values.empty() ? Shape{d.features(x)[-1]} : option.shape();
}
// All features, of which there must be so many axes.
inline Shape all_axes(const Declare& d, In x, int axes) {
  if (d.features(x).rank() != axes)
    d.fail("input 'default' should have the features ", axes == 1 ? "(n)" : "(height, width, channels)", ", but is ",
           d.shape(x));
  return d.features(x);
}
struct NormOfFeaturesOptions {
  double epsilon = 1e-5;
  static constexpr auto fields = std::tuple{field("epsilon", &NormOfFeaturesOptions::epsilon, "added to the variance")};
};

// Layers that normalise over the last axes of the features. D says which in `axes(d, x)` and, by `kCentred`,
// whether the mean is taken off.
template <class D, class Options>
class NormOfLastAxes : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    require_epsilon(d, options.epsilon);
    x_ = d.input("default", "...");
    const Shape& features = d.features(x_);
    axes_ = static_cast<const D&>(*this).axes(d, x_);
    if (axes_.rank() > features.rank() || features.from(features.rank() - axes_.rank()) != axes_)
      d.fail("input 'default' is ", d.shape(x_), ", whose last axes are not the ", axes_, " of 'normalized_shape'");
    y_ = d.output("default", d.like(x_));
    bool weight = true, bias = D::kCentred;
    if constexpr (requires { options.elementwise_affine; }) weight = options.elementwise_affine;
    if constexpr (requires { options.bias; }) bias = options.bias;
    norm_.declare(d, "", axes_, weight, weight && bias);
    d.backward_reads(x_);
  }
  void prepare(Prepare& p) const override {
    GroupNormSpec spec;
    spec.channels = axes_.elements();
    spec.examples = p.shape(x_).elements() / spec.channels;
    spec.epsilon = options.epsilon;
    spec.centred = D::kCentred;
    norm_.prepare(p, spec);
  }
  void forward(Forward& f) const override { norm_.forward(f, f[x_], f[y_]); }
  void backward(Backward& b) const override { norm_.backward(b, b[x_], b.delta(y_), b.delta(x_)); }

 private:
  Shape axes_;
  In x_;
  Out y_;
  ExampleNorm norm_;
};

}  // namespace squall
