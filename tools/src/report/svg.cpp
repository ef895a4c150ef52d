#include "report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "draw/picture.hpp"

namespace squall::report {

namespace {

constexpr double kWidth = 420, kHeight = 200, kLeft = 56, kBottom = 24, kTop = 14, kRight = 8;
constexpr const char* kFree = "#eceff3";
constexpr const char* kSeveral = "#111111";

struct Range {
  double low = 0, high = 1;
  double at(double v, double from, double to) const { return from + (v - low) / (high - low) * (to - from); }
};

Range range_of(std::span<const LogCurve* const> curves, bool of_values) {
  Range r{INFINITY, -INFINITY};
  for (const LogCurve* c : curves)
    for (const auto& [x, y] : c->points) {
      const double v = of_values ? y : x;
      r.low = std::min(r.low, v);
      r.high = std::max(r.high, v);
    }
  if (!(r.low <= r.high)) return {};
  if (r.low == r.high) r.high = r.low + (r.low == 0 ? 1 : std::abs(r.low) / 10);
  return r;
}

std::string label(double x, double y, const std::string& text, const char* anchor) {
  return fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>\n", x, y, anchor, escape(text));
}

std::string polyline(const LogCurve& c, const Range& x, const Range& y, const std::string& stroke) {
  std::string points;
  for (const auto& [px, py] : c.points)
    points += fmt::format("{:.1f},{:.1f} ", x.at(px, kLeft, kWidth - kRight), y.at(py, kHeight - kBottom, kTop));
  return fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='1.6'/>\n", points, stroke);
}

}  // namespace

std::string colour(std::size_t index) {
  static constexpr std::array<const char*, 10> kColours{"#3b6fb6", "#d1733a", "#3f9b63", "#a04fa6", "#b8912a",
                                                        "#c24a5a", "#3a9ba8", "#6b6f7a", "#7d5a3c", "#8aa33b"};
  return kColours[index % kColours.size()];
}

// Every byte below a blank that XML does not allow goes.
std::string escape(const std::string& text) {
  std::string out = draw::escape(text);
  std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t'; });
  for (std::size_t i = out.find('\''); i != std::string::npos; i = out.find('\'', i + 5)) out.replace(i, 1, "&#39;");
  return out;
}

std::string chart(const std::string& name, std::span<const LogCurve* const> curves) {
  const double legend = 14 * static_cast<double>(curves.size());
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0:.0f}' height='{1:.0f}' viewBox='0 0 {0:.0f} {1:.0f}' "
      "font-size='11' font-family='sans-serif' role='img' aria-label='{2}'>\n",
      kWidth, kHeight + legend, escape(name));
  const Range x = range_of(curves, false), y = range_of(curves, true);
  out += fmt::format("<rect x='{}' y='{}' width='{}' height='{}' fill='#fff' stroke='#c5cad2'/>\n", kLeft, kTop,
                     kWidth - kLeft - kRight, kHeight - kTop - kBottom);
  for (const double part : {0.0, 0.5, 1.0}) {
    const double v = y.low + part * (y.high - y.low);
    out += label(kLeft - 4, y.at(v, kHeight - kBottom, kTop) + 4, fmt::format("{:.4g}", v), "end");
  }
  out += label(kLeft, kHeight - 8, fmt::format("{:.0f}", x.low), "middle");
  out += label(kWidth - kRight, kHeight - 8, fmt::format("{:.0f}", x.high), "end");
  for (std::size_t i = 0; i < curves.size(); ++i) {
    out += polyline(*curves[i], x, y, colour(i));
    const double row = kHeight + 14 * static_cast<double>(i);
    out += fmt::format("<rect x='{}' y='{}' width='10' height='10' fill='{}'/>\n", kLeft, row, colour(i));
    const double last = curves[i]->points.empty() ? 0 : curves[i]->points.back().second;
    out += label(kLeft + 14, row + 9, fmt::format("{}: {:.6g} at last", curves[i]->name, last), "start");
  }
  return out + "</svg>\n";
}

std::string owners(const OwnerSample& s, const std::vector<std::string>& tasks) {
  constexpr Index kSide = 4;
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}' viewBox='0 0 {} {}' role='img' "
      "aria-label='owners of {}'>\n<rect width='100%' height='100%' fill='{}'/>\n",
      s.columns * kSide, s.rows * kSide, s.columns, s.rows, escape(s.parameter), kFree);
  for (int owner = OwnerSample::kSeveral; owner < static_cast<int>(tasks.size()); ++owner) {
    if (owner == OwnerSample::kNobody) continue;
    std::string path;
    Index count = 0;
    for (Index r = 0; r < s.rows; ++r)
      for (Index c = 0; c < s.columns; ++c) {
        if (s.owner[static_cast<std::size_t>(r * s.columns + c)] != owner) continue;
        path += fmt::format("M{} {}h1v1h-1z", c, r);
        ++count;
      }
    if (count == 0) continue;
    const bool several = owner == OwnerSample::kSeveral;
    out += fmt::format("<path d='{}' fill='{}' data-owner='{}' data-count='{}'/>\n", path,
                       several ? kSeveral : colour(static_cast<std::size_t>(owner)),
                       several ? "several" : escape(tasks[static_cast<std::size_t>(owner)]), count);
  }
  return out + "</svg>\n";
}

std::string shares(const TensorMaskReport& tensor, const std::vector<std::string>& tasks) {
  constexpr double kBar = 560;
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0:.0f}' height='14' viewBox='0 0 {0:.0f} 14'>\n"
      "<rect width='{0:.0f}' height='14' fill='{1}'/>\n",
      kBar, kFree);
  double x = 0;
  for (std::size_t t = 0; t < tensor.tasks.size() && tensor.elements > 0; ++t) {
    const auto task = static_cast<std::size_t>(std::ranges::find(tasks, tensor.tasks[t]) - tasks.begin());
    const double width = kBar * static_cast<double>(tensor.owned[t]) / static_cast<double>(tensor.elements);
    out += fmt::format("<rect x='{:.2f}' width='{:.2f}' height='14' fill='{}'><title>{}: {} of {}</title></rect>\n", x,
                       width, colour(task), escape(tensor.tasks[t]), tensor.owned[t], tensor.elements);
    x += width;
  }
  return out + "</svg>\n";
}

}  // namespace squall::report
