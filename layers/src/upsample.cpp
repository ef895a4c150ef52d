// Upsample: images with more (or fewer) pixels, by the nearest pixel or by linear interpolation.
#include <cmath>

#include "common/mapped.hpp"
#include "common/options.hpp"
#include "squall/core/json.hpp"

namespace squall {

enum class UpsampleMode : std::uint8_t { Nearest, Linear };
// Linear interpolation has PyTorch's name for each number of axes.
static std::span<const EnumName<UpsampleMode>> enum_names(UpsampleMode) {
  static constexpr std::array<EnumName<UpsampleMode>, 4> kNames{{{"nearest", UpsampleMode::Nearest},
                                                                 {"linear", UpsampleMode::Linear},
                                                                 {"bilinear", UpsampleMode::Linear},
                                                                 {"trilinear", UpsampleMode::Linear}}};
  return kNames;
}

// 2 or [1.5, 2].
struct Factors {
  std::vector<double> values;
};
static Expectation read_value(const json& j, Factors& out) {
  const json items = j.is_array() ? j : json::array({j});
  Factors f;
  for (const auto& item : items) {
    double value = 0;
    if (squall::read_value(item, value) || value <= 0) return "a positive number or a list of them";
    f.values.push_back(value);
  }
  if (f.values.empty()) return "a positive number or a list of them";
  out = std::move(f);
  return std::nullopt;
}
static void write_value(const Factors& v, json& out) {
  out = v.values.size() == 1 ? json(v.values[0]) : json(v.values);
}

struct UpsampleOptions {
  std::optional<Extents> size;
  std::optional<Factors> scale_factor;
  UpsampleMode mode = UpsampleMode::Nearest;
  bool align_corners = false;
  static constexpr auto fields =
      std::tuple{field("size", &UpsampleOptions::size, "extents of the output: one number or one for each axis"),
                 field("scale_factor", &UpsampleOptions::scale_factor,
                       "how many times larger each axis becomes: one number or one for each axis"),
                 field("mode", &UpsampleOptions::mode, "nearest or linear (bilinear, trilinear are the same)"),
                 field("align_corners", &UpsampleOptions::align_corners,
                       "linear: the first and the last pixel of input and output lie upon each other")};
};

namespace {

// The pixels of one axis that an output is made of, and their shares.
struct Sources {
  Index first = 0, second = 0;
  double share = 0;  // of the second
};

Sources sources(const UpsampleOptions& o, Index in, Index out, Index i) {
  Sources s;
  if (o.mode == UpsampleMode::Nearest) {
    s.first = s.second = i * in / out;
    return s;
  }
  const auto size = static_cast<double>(in), count = static_cast<double>(out), at = static_cast<double>(i);
  const double corner = out > 1 ? at * (size - 1) / (count - 1) : 0;
  const double place = o.align_corners ? corner : std::max(0.0, (at + 0.5) * size / count - 0.5);
  s.first = std::min(static_cast<Index>(place), in - 1);
  s.second = std::min(s.first + 1, in - 1);
  s.share = place - static_cast<double>(s.first);
  return s;
}

}  // namespace

class Upsample final : public LayerOf<Upsample, UpsampleOptions> {
 public:
  static constexpr std::string_view kType = "Upsample";
  static constexpr std::string_view kDoc =
      "Images (length, channels), (height, width, channels) or (depth, height, width, channels) with other extents, "
      "each channel by itself.";

  void declare(Declare& d) override {
    const In x = d.input("default", "...");
    const int axes = d.features(x).rank() - 1;
    if (axes < 1 || axes > 3)
      d.fail("input 'default' should have one to three axes and channels as features, but is ", d.shape(x));
    const Window w = image_window(d, "default", x, axes);
    const std::array<Index, 3> out = extents(d, w, axes);
    PixelMapSpec map;
    map.inputs = w.pixels();
    map.outputs = out[0] * out[1] * out[2];
    map.channels = w.channels;
    map.taps = options.mode == UpsampleMode::Nearest ? 1 : Index{1} << axes;
    for (Index i = 0; i < map.outputs; ++i)
      add_output(
          w,
          {sources(options, w.depth, out[0], i / (out[1] * out[2])),
           sources(options, w.height, out[1], i / out[2] % out[1]), sources(options, w.width, out[2], i % out[2])},
          map);
    path_.declare(d, x, image_features(axes, out[0], out[1], out[2], w.channels), std::move(map));
  }
  void prepare(Prepare& p) const override { path_.prepare(p); }
  void forward(Forward& f) const override { path_.forward(f); }
  void backward(Backward& b) const override { path_.backward(b); }

 private:
  static void add_output(const Window& w, const std::array<Sources, 3>& s, PixelMapSpec& map) {
    for (Index tap = 0; tap < map.taps; ++tap) {
      std::array<Index, 3> pixel{};
      double weight = 1;
      for (std::size_t a = 0; a < 3; ++a) {
        const bool second = (tap >> (2 - a) & 1) != 0;
        pixel[a] = second ? s[a].second : s[a].first;
        weight *= second ? s[a].share : 1 - s[a].share;
      }
      map.index.push_back(static_cast<std::int32_t>((pixel[0] * w.height + pixel[1]) * w.width + pixel[2]));
      map.weight.push_back(weight);
    }
  }
  // Of the output, axes that are not there are 1.
  std::array<Index, 3> extents(const Declare& d, const Window& w, int axes) const {
    if (options.size.has_value() == options.scale_factor.has_value())
      d.fail("one of the options 'size' and 'scale_factor' should say how large the output is");
    const auto n = static_cast<std::size_t>(axes);
    std::array<Index, 3> out{1, 1, 1};
    for (std::size_t i = 0; i < n; ++i) {
      Index& one = out[3 - n + i];
      if (options.size) {
        const auto& values = options.size->values;
        if (values.size() != 1 && values.size() != n)
          d.fail("option 'size' should be one number or ", n, " for the axes of ", d.shape(In{0}));
        one = values[values.size() == 1 ? 0 : i];
        continue;
      }
      const auto& factors = options.scale_factor->values;
      if (factors.size() != 1 && factors.size() != n)
        d.fail("option 'scale_factor' should be one number or ", n, " for the axes of ", d.shape(In{0}));
      const double factor = factors[factors.size() == 1 ? 0 : i];
      one = static_cast<Index>(std::floor(static_cast<double>(w.axis(static_cast<int>(3 - n + i)).size) * factor));
      if (one < 1) d.fail("option 'scale_factor' leaves nothing of input 'default', ", d.shape(In{0}));
    }
    return out;
  }

  MappedPath path_;
};

void register_upsample(Catalog& catalog) { catalog.of<Layer>().add<Upsample>(); }

}  // namespace squall
