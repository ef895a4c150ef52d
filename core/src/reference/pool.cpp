// Pooling from gathered pixels: a table says which pixel each tap of each window sees.
#include <algorithm>
#include <numeric>

#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// For each window of one image: pixels it sees, row-major, and what counts.
struct Seen {
  std::vector<Index> pixels;
  Index counted = 0;
};

std::vector<Seen> windows_of(const PoolSpec& s) {
  const auto d = pool_taps(s, 0);
  const auto h = pool_taps(s, 1);
  const auto w = pool_taps(s, 2);
  std::vector<Seen> all;
  for (const PoolTaps& a : d)
    for (const PoolTaps& b : h)
      for (const PoolTaps& c : w) {
        Seen seen;
        seen.counted = a.counted * b.counted * c.counted;
        for (Index i = a.first; i < a.end; ++i)
          for (Index j = b.first; j < b.end; ++j)
            for (Index k = c.first; k < c.end; ++k)
              seen.pixels.push_back(((a.start + i * a.step) * s.window.height + b.start + j * b.step) * s.window.width +
                                    c.start + k * c.step);
        all.push_back(std::move(seen));
      }
  return all;
}

Index most_pixels(const std::vector<Seen>& windows) {
  Index most = 1;
  for (const Seen& s : windows) most = std::max(most, static_cast<Index>(s.pixels.size()));
  return most;
}

// Rows of pixels under each tap, for all images: (images, windows, taps).
OwnedTensor pixel_rows(const Handler& h, const PoolSpec& s, const std::vector<Seen>& windows, Index taps) {
  HostArray rows(DType::I32, {s.images * static_cast<Index>(windows.size()) * taps});
  std::size_t next = 0;
  for (Index n = 0; n < s.images; ++n)
    for (const Seen& seen : windows)
      for (Index tap = 0; tap < taps; ++tap) {  // what is missing repeats the first
        const bool there = tap < static_cast<Index>(seen.pixels.size());
        const Index pixel = seen.pixels.empty() ? 0 : seen.pixels[there ? at(tap) : 0];
        rows.span<std::int32_t>()[next++] = static_cast<std::int32_t>(n * s.window.pixels() + pixel);
      }
  return own(h, rows.view(), DType::I32);
}

// What both kinds share: x (pixels, C) gathered to (windows taps, C), and back.
class PoolReference : public PoolPlan {
 public:
  PoolReference(Handler& h, const PoolSpec& spec)
      : PoolPlan(spec),
        h_(h),
        windows_(windows_of(spec)),
        taps_(most_pixels(windows_)),
        rows_(spec.images * static_cast<Index>(windows_.size())),
        pixels_(pixel_rows(h, spec, windows_, taps_)),
        columns_(workspace_.book(h.dtype(), {rows_, taps_, spec.window.channels})) {}
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }

 protected:
  Index channels() const { return spec().window.channels; }
  Tensor columns() const { return workspace_[columns_]; }
  Tensor lines() const { return columns().reshaped({rows_ * taps_, channels()}); }
  void gather(const ConstTensor& x) const {
    h_.linalg().gather_rows(x.reshaped({spec().images * spec().window.pixels(), channels()}), pixels_.tensor, lines());
  }
  void scatter(const Sink& dx) const {
    if (dx.mode == Write::Overwrite) h_.memory().zero(dx.to);
    if (rows_ == 0) return;
    h_.linalg().scatter_add_rows(lines(), pixels_.tensor,
                                 dx.to.reshaped({spec().images * spec().window.pixels(), channels()}));
  }

  Handler& h_;
  std::vector<Seen> windows_;  // of one image
  Index taps_, rows_;
  OwnedTensor pixels_;
  Parts workspace_;
  int columns_;
};

class MaxReference final : public PoolReference {
 public:
  MaxReference(Handler& h, const PoolSpec& spec)
      : PoolReference(h, spec),
        delta_(workspace_.book(h.dtype(), {rows_, channels()})),
        place_(reserve_.book(DType::I32, {rows_, channels()})) {
    HostArray outside(DType::U8, {rows_, channels()});
    for (Index r = 0; r < rows_; ++r) {
      if (!windows_[at(r) % windows_.size()].pixels.empty()) continue;
      any_outside_ = true;
      for (Index c = 0; c < channels(); ++c) outside.set_value(r * channels() + c, 1);
    }
    if (any_outside_) outside_ = own(h, outside.view(), DType::U8);
  }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    gather(x);
    h_.windows().max_middle(columns(), y, reserve_[place_]);
    if (any_outside_) h_.elementwise().fill_if(0.0, outside_.tensor, y);
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    ConstTensor delta = dy;
    if (any_outside_) {
      h_.memory().copy(dy, workspace_[delta_]);
      h_.elementwise().fill_if(0.0, outside_.tensor, workspace_[delta_]);
      delta = workspace_[delta_];
    }
    h_.windows().put_middle(delta, reserve_[place_], columns());
    scatter(dx);
  }
  void do_places(const Tensor& index) override {
    HostArray place = h_.memory().to_host(reserve_[place_]);
    HostArray pixel(DType::I32, place.shape());
    for (Index i = 0; i < place.elements(); ++i) {
      const Seen& seen = windows_[at(i / channels()) % windows_.size()];
      const auto tap = at(place.span<std::int32_t>()[at(i)]);
      pixel.span<std::int32_t>()[at(i)] =
          seen.pixels.empty() ? -1 : static_cast<std::int32_t>(seen.pixels[tap < seen.pixels.size() ? tap : 0]);
    }
    h_.memory().upload(pixel.view(), index);
  }

 private:
  bool any_outside_ = false;
  OwnedTensor outside_;
  Parts reserve_;
  int delta_, place_;
};

class AvgReference final : public PoolReference {
 public:
  AvgReference(Handler& h, const PoolSpec& spec) : PoolReference(h, spec) {
    HostArray share(DType::F64, {rows_ * taps_});
    for (Index r = 0; r < rows_; ++r) {
      const Seen& seen = windows_[at(r) % windows_.size()];
      const Index count = spec.divisor > 0 ? spec.divisor : std::max<Index>(1, seen.counted);
      for (Index tap = 0; tap < static_cast<Index>(seen.pixels.size()); ++tap)
        share.set_value(r * taps_ + tap, 1.0 / static_cast<double>(count));
    }
    share_ = own(h, share.view(), h.dtype());
  }

 protected:
  void do_forward(const ConstTensor& x, const Tensor& y) override {
    const Tensor out = y.reshaped({rows_, channels()});
    gather(x);
    h_.linalg().with_column(Binary::Multiply, lines(), share_.tensor, lines());
    for (Index tap = 0; tap < taps_; ++tap)
      h_.linalg().copy_block(block(tap), MatrixSink(out, tap == 0 ? Write::Overwrite : Write::Add));
  }
  void do_backward(const ConstTensor& dy, const Sink& dx) override {
    if (rows_ > 0) {
      for (Index tap = 0; tap < taps_; ++tap) h_.linalg().copy_block(dy.reshaped({rows_, channels()}), block(tap));
      h_.linalg().with_column(Binary::Multiply, lines(), share_.tensor, lines());
    }
    scatter(dx);
  }
  void do_places(const Tensor&) override {}

 private:
  // One tap of every window: (windows, channels).
  Matrix block(Index tap) const {
    return Matrix(columns().reshaped({rows_, taps_ * channels()})).columns(tap * channels(), channels());
  }

  OwnedTensor share_;
};

}  // namespace

std::unique_ptr<PoolPlan> make_pool_reference(Handler& handler, const PoolSpec& spec) {
  if (spec.kind == PoolKind::Max) return std::make_unique<MaxReference>(handler, spec);
  return std::make_unique<AvgReference>(handler, spec);
}

}  // namespace squall
