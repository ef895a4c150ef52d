#include "common/options.hpp"

#include <algorithm>

#include "squall/core/json.hpp"

namespace squall {

namespace {

bool whole(const json& j, Index least, Index& out) {
  Index value = 0;
  if (read_value(j, value) || value < least) return false;
  out = value;
  return true;
}

std::string numbers(std::size_t axes) { return axes == 1 ? "one" : axes == 2 ? "two" : "three"; }

bool list_of(const json& j, Index least, std::span<Index> out) {
  if (!j.is_array() || j.size() != out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (!whole(j[i], least, out[i])) return false;
  return true;
}

// [[before, after], ...]
bool sides(const json& j, std::size_t axes, Padding& out) {
  if (!j.is_array() || j.size() != axes) return false;
  for (std::size_t i = 0; i < axes; ++i) {
    std::array<Index, 2> both{};
    if (!list_of(j[i], 0, both)) return false;
    out.before[i] = both[0];
    out.after[i] = both[1];
  }
  return true;
}

std::optional<Padding::Kind> named_padding(const json& j) {
  if (!j.is_string()) return std::nullopt;
  auto text = j.get<std::string>();
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "same") return Padding::Kind::Same;
  if (text == "valid") return Padding::Kind::Valid;
  if (text == "causal") return Padding::Kind::Causal;
  return std::nullopt;
}

}  // namespace

Expectation read_axes(const json& j, Index least, std::span<Index> out) {
  Index one = 0;
  if (whole(j, least, one)) {
    std::ranges::fill(out, one);
    return std::nullopt;
  }
  if (list_of(j, least, out)) return std::nullopt;
  return concat(least > 0 ? "a positive whole" : "a whole", " number or a list of ", numbers(out.size()));
}

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
void write_value(const Extents& v, json& out) {
  out = v.list || v.values.size() != 1 ? json(v.values) : json(v.values[0]);
}
void write_axes(std::span<const Index> values, json& out) {
  out = json::array();
  for (const Index value : values) out.push_back(value);
}

Expectation read_padding(const json& j, int axes, Padding& out) {
  Padding p;
  const auto n = static_cast<std::size_t>(axes);
  const std::span<Index> before(p.before.data(), n);
  Index one = 0;
  if (const auto kind = named_padding(j)) {
    p.kind = *kind;
  } else if (whole(j, 0, one)) {
    std::ranges::fill(before, one);
    p.after = p.before;
  } else if (list_of(j, 0, before)) {
    p.after = p.before;
  } else if (!sides(j, n, p)) {
    return axes == 2 ? "'same', 'valid', a whole number of pixels, [vertical, horizontal] or [[top, bottom], [left, "
                       "right]]"
                     : concat("'same', 'valid', a whole number of pixels, a list of ", numbers(n), " or one of ",
                              numbers(n), " pairs [before, after]");
  }
  out = p;
  return std::nullopt;
}
void write_padding(const Padding& v, int axes, json& out) {
  if (v.kind != Padding::Kind::Pixels) {
    out = v.kind == Padding::Kind::Same ? "same" : v.kind == Padding::Kind::Valid ? "valid" : "causal";
    return;
  }
  bool equal = true;
  json all = json::array(), pairs = json::array();
  for (std::size_t i = 0; i < static_cast<std::size_t>(axes); ++i) {
    all.push_back(v.before[i]);
    pairs.push_back(json::array({v.before[i], v.after[i]}));
    equal = equal && v.before[i] == v.before[0];
  }
  if (v.before != v.after)
    out = pairs;
  else
    out = equal ? json(v.before[0]) : all;
}

std::span<const EnumName<PaddingMode>> enum_names(PaddingMode) {
  static constexpr std::array<EnumName<PaddingMode>, 4> kNames{{{"zeros", PaddingMode::Zeros},
                                                                {"reflect", PaddingMode::Reflect},
                                                                {"replicate", PaddingMode::Replicate},
                                                                {"circular", PaddingMode::Circular}}};
  return kNames;
}

}  // namespace squall
