#include "common/convolution.hpp"

#include <algorithm>

namespace squall {

namespace {

// Which pixel of an axis stands at `place` of the padded axis, counted from the image's first.
Index source_pixel(PaddingMode mode, Index place, Index size) {
  switch (mode) {
    case PaddingMode::Reflect: return place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
    case PaddingMode::Circular: return (place + size) % size;
    case PaddingMode::Replicate:
    case PaddingMode::Zeros: break;
  }
  return std::clamp<Index>(place, 0, size - 1);
}

std::vector<std::int32_t> padded_pixels(const Window& w, PaddingMode mode) {
  std::vector<std::int32_t> index;
  const Axis d = w.axis(0), h = w.axis(1), x = w.axis(2);
  for (Index i = 0; i < d.padded(); ++i)
    for (Index j = 0; j < h.padded(); ++j)
      for (Index k = 0; k < x.padded(); ++k) {
        const Index line = source_pixel(mode, i - d.before, d.size) * h.size + source_pixel(mode, j - h.before, h.size);
        index.push_back(static_cast<std::int32_t>(line * x.size + source_pixel(mode, k - x.before, x.size)));
      }
  return index;
}

// The same shape without what is there only because a layer has more leading axes.
template <class T>
auto images(const T& x, const Window& w, Index count) {
  return x.reshaped(w.images(count));
}
template <class T>
auto maps(const T& y, const ConvSpec& s) {
  return y.reshaped(s.window.maps(s.images, s.filters));
}

}  // namespace

void ConvPath::declare(Declare& d, const std::string& input, const std::string& output, const Wanted& wanted) {
  axes_ = static_cast<int>(wanted.how.kernel.size());
  filters_ = wanted.filters;
  groups_ = wanted.groups;
  activation_ = wanted.activation;
  bias_ = wanted.bias;
  x_ = d.input(input, "...");
  window_ = sliding_window(d, input, x_, wanted.how);
  if (groups_ < 1 || window_.channels % groups_ != 0 || filters_ % groups_ != 0)
    d.fail("option 'groups' is ", groups_, ", but ", window_.channels, " channels of input '", input, "' and ",
           filters_, " filters should be multiples of it");
  y_ = d.output(output, d.like(x_, window_features(window_, axes_, filters_)));
  conv_ = d.plan<ConvPlan>();
  maps_ = wanted.mode != PaddingMode::Zeros;
  if (maps_) {
    for (int i = 0; i < 3; ++i) {
      const Axis a = window_.axis(i);
      const Index most = wanted.mode == PaddingMode::Reflect ? a.size - 1 : a.size;
      if (wanted.mode != PaddingMode::Replicate && std::max(a.before, a.after) > most)
        d.fail("input '", input, "' is ", d.shape(x_), ", so the padding_mode cannot give more than ", most,
               " pixels of padding along an axis of ", a.size);
    }
    padding_.index = padded_pixels(window_, wanted.mode);
    pad(d, input);
  }
  d.backward_reads(x_, y_);
}

void ConvPath::pad(Declare& d, const std::string& name) {
  padding_.inputs = window_.pixels();
  padding_.outputs = static_cast<Index>(padding_.index.size());
  padding_.channels = window_.channels;
  for (int i = 0; i < 3; ++i) {
    Axis a = window_.axis(i);
    a.size = a.padded();
    a.before = a.after = 0;
    window_.set(i, a);
  }
  const std::string of = name == "default" ? "" : "_" + name;
  const BufferShape shape =
      d.like(x_, image_features(axes_, window_.depth, window_.height, window_.width, window_.channels));
  padded_ = d.internal("padded" + of, shape);
  padded_delta_ = d.internal("padded_delta" + of, shape, {.life = Life::Backward});
  map_ = d.plan<PixelMapPlan>();
}

Shape ConvPath::filter_shape() const {
  std::vector<Index> extents{filters_};
  for (int i = 3 - axes_; i < 3; ++i) extents.push_back(window_.axis(i).kernel);
  extents.push_back(window_.channels / groups_);
  return Shape(std::span<const Index>(extents));
}

void ConvPath::prepare(Prepare& p, const PackedWeight* packed, bool fixed, const SparsePattern* pattern) const {
  ConvSpec spec;
  spec.images = p.rows(x_);
  spec.window = window_;
  spec.filters = filters_;
  spec.groups = groups_;
  spec.activation = activation_;
  spec.bias = bias_;
  spec.packed = packed;
  spec.pattern = pattern;
  spec.constant = !p.training();
  // Only reference plans go back through a packed weight.
  const bool slow = fixed && packed != nullptr && p.training();
  p.keep(conv_, slow ? p.handler().conv().reference(spec) : p.handler().conv().plan(spec));
  if (!maps_) return;
  PixelMapSpec map = padding_;
  map.images = spec.images;
  p.keep(map_, p.handler().pool().plan(map));
}

void ConvPath::forward(Forward& f, const WeightRef& w, const ConstTensor& bias) const {
  ConvPlan& plan = f[conv_];
  const ConvSpec& s = plan.spec();
  ConstTensor x = f[x_];
  if (maps_) {
    f[map_].forward(x.reshaped({s.images, padding_.inputs, padding_.channels}),
                    f[padded_].reshaped({s.images, padding_.outputs, padding_.channels}));
    x = f[padded_];
  }
  plan.forward(images(x, window_, s.images), w, bias, maps(f[y_], s));
}

void ConvPath::backward(Backward& b, const WeightRef& w, const Sink& dw, const Sink& dbias) const {
  ConvPlan& plan = b[conv_];
  const ConvSpec& s = plan.spec();
  const Sink dx = b.delta(x_);
  const ConstTensor x = maps_ ? ConstTensor(b[padded_]) : b[x_];
  const Sink inner = maps_ && dx ? Sink(b[padded_delta_]) : dx;
  plan.backward(images(x, window_, s.images), w, maps(b[y_], s), maps(b.delta(y_), s),
                inner.reshaped(window_.images(s.images)), dw, dbias);
  if (maps_ && dx)
    b[map_].backward(b[padded_delta_].reshaped({s.images, padding_.outputs, padding_.channels}),
                     dx.reshaped({s.images, padding_.inputs, padding_.channels}));
}

}  // namespace squall
