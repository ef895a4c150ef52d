// Sizes of tensors, and shapes of buffers before time and batch sizes are known.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "squall/core/error.hpp"

namespace squall {

using Index = std::int64_t;

// The extents of a tensor, row-major, at most kMaxRank of them, stored inline.
class Shape {
 public:
  static constexpr int kMaxRank = 8;

  Shape() = default;
  Shape(std::initializer_list<Index> extents);
  explicit Shape(std::span<const Index> extents);

  int rank() const { return rank_; }
  // Negative axes count from the end.
  Index operator[](int axis) const { return extents_[static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis)]; }
  Index elements() const;  // 1 for rank 0; throws ShapeError when it does not fit 63 bits
  std::span<const Index> extents() const { return {extents_.data(), static_cast<std::size_t>(rank_)}; }
  Shape with_front(Index extent) const;  // (extent, ...)
  Shape with_back(Index extent) const;   // (..., extent)
  Shape with_last(Index extent) const;   // last extent replaced
  Shape from(int axis) const;            // extents axis..end
  Shape until(int axis) const;           // extents 0..axis-1
  Shape joined(const Shape& tail) const;
  std::string text() const;  // "(2, 3)"

  friend bool operator==(const Shape& a, const Shape& b);
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) { return out << s.text(); }

 private:
  void push(Index extent);
  std::array<Index, kMaxRank> extents_{};
  int rank_ = 0;
};

// Names of the sizes known only when data arrives ("T", "B", "B_digits", ...); ids are indices.
class Symbols {
 public:
  int id(std::string_view name);  // finds or adds
  const std::string& name(int id) const { return names_[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(names_.size()); }

 private:
  std::vector<std::string> names_;
};

// Values of all symbols of a network, by id; -1 where unknown.
using Sizes = std::vector<Index>;

// Shape of a buffer: (T, B, features...), (B, features...) or (features...). `time` and `batch` are
// symbol ids, -1 where the axis is absent; a buffer with time has batch.
struct BufferShape {
  int time = -1;
  int batch = -1;
  Shape features;

  bool scales_with_time() const { return time >= 0; }
  bool scales_with_batch() const { return batch >= 0; }
  Index feature_size() const { return features.elements(); }
  Shape concrete(const Sizes& sizes, Index context = 0) const;  // context rows are added to time
  std::string text() const;                                     // "(T, B, 784)"
  std::string text(const Symbols& names) const;                 // with the sizes' own names: "(T, B_digits, 784)"
  friend bool operator==(const BufferShape& a, const BufferShape& b) = default;
};
std::ostream& operator<<(std::ostream& out, const BufferShape& s);

// What an input accepts: "T B ...", "T B F", "T B 28 28 *", "B 10", "..." (any structure).
// F and * stand for one extent, ... for one or more.
class ShapeTemplate {
 public:
  explicit ShapeTemplate(std::string_view text);
  // Why the shape does not fit, or nothing if it does. `names` of sizes, where they are known.
  std::optional<std::string> mismatch(const BufferShape& shape, const Symbols* names = nullptr) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool any_scale_ = false, time_ = false, batch_ = false, open_end_ = false;
  std::vector<Index> features_;  // -1: any extent
};

}  // namespace squall
