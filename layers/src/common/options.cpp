#include "common/options.hpp"

#include <algorithm>

namespace squall {

namespace {

bool whole(const json& j, Index least, Index& out) {
  Index value = 0;
  if (read_value(j, value) || value < least) return false;
  out = value;
  return true;
}

bool two(const json& j, Index& first, Index& second) {
  return j.is_array() && j.size() == 2 && whole(j[0], 0, first) && whole(j[1], 0, second);
}

std::optional<Padding::Kind> named_padding(const json& j) {
  if (!j.is_string()) return std::nullopt;
  auto text = j.get<std::string>();
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "same") return Padding::Kind::Same;
  if (text == "valid") return Padding::Kind::Valid;
  return std::nullopt;
}

}  // namespace

Expectation read_value(const json& j, Pair& out) {
  Pair p;
  if (whole(j, 1, p.vertical)) {
    p.horizontal = p.vertical;
  } else if (!j.is_array() || j.size() != 2 || !whole(j[0], 1, p.vertical) || !whole(j[1], 1, p.horizontal)) {
    return "a positive whole number or a list of two";
  }
  out = p;
  return std::nullopt;
}
json write_value(const Pair& v) { return json::array({v.vertical, v.horizontal}); }

Expectation read_value(const json& j, Extents& out) {
  Extents e;
  e.list = j.is_array();
  const json items = e.list ? j : json::array({j});
  for (const auto& item : items) {
    Index extent = 0;
    if (!whole(item, 1, extent)) return "a positive whole number or a list of them";
    e.values.push_back(extent);
  }
  if (e.values.empty()) return "a positive whole number or a list of them";
  out = std::move(e);
  return std::nullopt;
}
json write_value(const Extents& v) { return v.list || v.values.size() != 1 ? json(v.values) : json(v.values[0]); }

Expectation read_value(const json& j, Padding& out) {
  Padding p;
  if (const auto kind = named_padding(j)) {
    p.kind = *kind;
  } else if (whole(j, 0, p.top)) {
    p.bottom = p.left = p.right = p.top;
  } else if (two(j, p.top, p.left)) {
    p.bottom = p.top;
    p.right = p.left;
  } else if (!j.is_array() || j.size() != 2 || !two(j[0], p.top, p.bottom) || !two(j[1], p.left, p.right)) {
    return "'same', 'valid', a whole number of pixels, [vertical, horizontal] or [[top, bottom], [left, right]]";
  }
  out = p;
  return std::nullopt;
}
json write_value(const Padding& v) {
  if (v.kind == Padding::Kind::Same) return "same";
  if (v.kind == Padding::Kind::Valid) return "valid";
  if (v.top != v.bottom || v.left != v.right)
    return json::array({json::array({v.top, v.bottom}), json::array({v.left, v.right})});
  if (v.top != v.left) return json::array({v.top, v.left});
  return v.top;
}

}  // namespace squall
