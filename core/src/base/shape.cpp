#include "squall/core/shape.hpp"

#include <algorithm>
#include <charconv>

namespace squall {

Shape::Shape(std::initializer_list<Index> extents) {
  for (Index e : extents) push(e);
}
Shape::Shape(std::span<const Index> extents) {
  for (Index e : extents) push(e);
}

void Shape::push(Index extent) {
  SQUALL_CHECK(rank_ < kMaxRank, "a shape has at most ", kMaxRank, " axes");
  SQUALL_CHECK(extent >= 0, "an extent cannot be negative: ", extent);
  extents_[static_cast<std::size_t>(rank_++)] = extent;
}

Index Shape::elements() const {
  Index product = 1;
  for (Index e : extents())
    SQUALL_CHECK(!__builtin_mul_overflow(product, e, &product), "too many elements in ", text());
  return product;
}

Shape Shape::with_front(Index extent) const { return Shape{extent}.joined(*this); }
Shape Shape::with_back(Index extent) const { return joined(Shape{extent}); }
Shape Shape::with_last(Index extent) const { return until(rank_ - 1).with_back(extent); }
Shape Shape::from(int axis) const {
  SQUALL_CHECK(axis >= 0 && axis <= rank_, text(), " has no axis ", axis);
  return Shape(extents().subspan(static_cast<std::size_t>(axis)));
}
Shape Shape::until(int axis) const {
  SQUALL_CHECK(axis >= 0 && axis <= rank_, text(), " has no axis ", axis);
  return Shape(extents().first(static_cast<std::size_t>(axis)));
}
Shape Shape::joined(const Shape& tail) const {
  Shape whole = *this;
  for (Index e : tail.extents()) whole.push(e);
  return whole;
}

std::string Shape::text() const {
  std::string out = "(";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) out += ", ";
    out += std::to_string((*this)[i]);
  }
  return out + ")";
}

bool operator==(const Shape& a, const Shape& b) { return std::ranges::equal(a.extents(), b.extents()); }

int Symbols::id(std::string_view name) {
  const auto found = std::ranges::find(names_, name);
  if (found != names_.end()) return static_cast<int>(found - names_.begin());
  names_.emplace_back(name);
  return size() - 1;
}

Shape BufferShape::concrete(const Sizes& sizes, Index context) const {
  Shape out;
  if (time >= 0) out = out.with_back(sizes[static_cast<std::size_t>(time)] + context);
  if (batch >= 0) out = out.with_back(sizes[static_cast<std::size_t>(batch)]);
  return out.joined(features);
}

namespace {

std::string shape_text(std::string_view time, std::string_view batch, const Shape& features) {
  std::string out = "(";
  for (const auto size : {time, batch}) {
    if (out.size() > 1 && !size.empty()) out += ", ";
    out += size;
  }
  for (const Index e : features.extents()) {
    if (out.size() > 1) out += ", ";
    out += std::to_string(e);
  }
  return out + ")";
}

}  // namespace

std::string BufferShape::text() const { return shape_text(time < 0 ? "" : "T", batch < 0 ? "" : "B", features); }
std::string BufferShape::text(const Symbols& names) const {
  return shape_text(time < 0 ? std::string_view() : names.name(time),
                    batch < 0 ? std::string_view() : names.name(batch), features);
}
std::ostream& operator<<(std::ostream& out, const BufferShape& s) { return out << s.text(); }

ShapeTemplate::ShapeTemplate(std::string_view text) : text_(text) {
  std::istringstream words{text_};
  bool features_begun = false;
  for (std::string word; words >> word;) {
    SQUALL_CHECK(!open_end_, "shape template '", text_, "': nothing may follow '...'");
    if (word == "T" && !time_ && !batch_ && !features_begun) {
      time_ = true;
    } else if (word == "B" && !batch_ && !features_begun) {
      batch_ = true;
    } else if (word == "...") {
      open_end_ = true;
    } else if (word == "F" || word == "*") {
      features_.push_back(-1);
    } else {
      Index extent = 0;
      const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), extent);
      SQUALL_CHECK(bad == std::errc{} && end == word.data() + word.size() && extent > 0, "shape template '", text_,
                   "': '", word, "' is not T, B, F, *, ... or a positive number");
      features_.push_back(extent);
    }
    features_begun = !features_.empty();
  }
  SQUALL_CHECK(!time_ || batch_, "shape template '", text_, "': T must be followed by B");
  SQUALL_CHECK(open_end_ || !features_.empty(), "shape template '", text_, "': at least one feature axis is needed");
  any_scale_ = !time_ && !batch_ && open_end_ && features_.empty();
}

std::optional<std::string> ShapeTemplate::mismatch(const BufferShape& buffer, const Symbols* names) const {
  if (any_scale_) return std::nullopt;
  const std::string shape = names != nullptr ? buffer.text(*names) : buffer.text();
  if (time_ != buffer.scales_with_time() || batch_ != buffer.scales_with_batch())
    return concat("expected (", text_, "), got ", shape);
  const auto got = buffer.features.extents();
  if (open_end_ ? got.size() <= features_.size() : got.size() != features_.size())
    return concat("expected ", features_.size() + (open_end_ ? 1 : 0), open_end_ ? " or more" : "",
                  " feature dims, got ", got.size(), ": ", shape);
  for (std::size_t i = 0; i < features_.size(); ++i)
    if (features_[i] >= 0 && features_[i] != got[i])
      return concat("expected (", text_, "), got ", shape, ": feature axis ", i, " should be ", features_[i]);
  return std::nullopt;
}

}  // namespace squall
