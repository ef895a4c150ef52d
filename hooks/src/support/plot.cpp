#include "support/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "squall/core/error.hpp"

namespace squall {

namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  std::size_t longest = 0;
  // Of a value, from 0 (lowest) to 1.
  double part(double v) const { return high > low ? (v - low) / (high - low) : 0.5; }
  double along(std::size_t i) const {
    return longest > 1 ? static_cast<double>(i) / static_cast<double>(longest - 1) : 0.5;
  }
};

Range range_of(const std::vector<PlotLine>& curves) {
  Range r;
  for (const auto& c : curves) {
    r.longest = std::max(r.longest, c.values.size());
    for (const double v : c.values) {
      if (!std::isfinite(v)) continue;
      r.low = std::min(r.low, v);
      r.high = std::max(r.high, v);
    }
  }
  if (r.low > r.high) r.low = r.high = 0;
  return r;
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", v);
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

constexpr double kWidth = 640, kHeight = 400, kLeft = 70, kRight = 20, kTop = 40, kBottom = 40;
constexpr const char* kColours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"};

std::string text_at(double x, double y, const std::string& anchor, const std::string& text) {
  return concat("<text x=\"", number(x), "\" y=\"", number(y), "\" text-anchor=\"", anchor, "\">", escaped(text),
                "</text>\n");
}

// One polyline for each run of finite values.
std::string lines_of(const PlotLine& curve, const Range& r, const std::string& colour) {
  std::string out, points;
  const auto flush = [&] {
    if (!points.empty())
      out += concat("<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"", colour, "\" points=\"", points, "\"/>\n");
    points.clear();
  };
  for (std::size_t i = 0; i < curve.values.size(); ++i) {
    if (!std::isfinite(curve.values[i])) {
      flush();
      continue;
    }
    const double x = kLeft + r.along(i) * (kWidth - kLeft - kRight);
    const double y = kHeight - kBottom - r.part(curve.values[i]) * (kHeight - kTop - kBottom);
    points += concat(points.empty() ? "" : " ", number(x), ",", number(y));
  }
  flush();
  return out;
}

}  // namespace

std::string plot_svg(const std::vector<PlotLine>& curves, const std::string& title) {
  const Range r = range_of(curves);
  std::string out = concat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", number(kWidth), "\" height=\"",
                           number(kHeight), "\" font-family=\"sans-serif\" font-size=\"12\">\n",
                           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
  out += text_at(kWidth / 2, 18, "middle", title);
  out += concat("<path fill=\"none\" stroke=\"black\" d=\"M", number(kLeft), " ", number(kTop), " V",
                number(kHeight - kBottom), " H", number(kWidth - kRight), "\"/>\n");
  out += text_at(kLeft - 6, kTop + 4, "end", number(r.high));
  out += text_at(kLeft - 6, kHeight - kBottom, "end", number(r.low));
  out += text_at(kLeft, kHeight - kBottom + 16, "middle", "0");
  if (r.longest > 1) out += text_at(kWidth - kRight, kHeight - kBottom + 16, "end", std::to_string(r.longest - 1));
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string colour = kColours[i % std::size(kColours)];
    out += lines_of(curves[i], r, colour);
    const double y = kTop + 14 * static_cast<double>(i + 1);
    out += concat("<rect x=\"", number(kWidth - kRight - 10), "\" y=\"", number(y - 9),
                  "\" width=\"10\" height=\"10\" fill=\"", colour, "\"/>\n");
    out += text_at(kWidth - kRight - 16, y, "end", curves[i].name);
  }
  return out + "</svg>\n";
}

std::string plot_text(const std::vector<PlotLine>& curves, int columns, int rows) {
  const Range r = range_of(curves);
  constexpr std::string_view kMarks = "*+ox#";
  std::vector<std::string> lines(static_cast<std::size_t>(rows), std::string(static_cast<std::size_t>(columns), ' '));
  std::string legend;
  for (std::size_t c = 0; c < curves.size(); ++c) {
    const char mark = kMarks[c % kMarks.size()];
    legend += concat(c > 0 ? "  " : "", mark, " ", curves[c].name);
    for (std::size_t i = 0; i < curves[c].values.size(); ++i) {
      if (!std::isfinite(curves[c].values[i])) continue;
      const auto row = static_cast<std::size_t>(std::lround((1 - r.part(curves[c].values[i])) * (rows - 1)));
      lines[row][static_cast<std::size_t>(std::lround(r.along(i) * (columns - 1)))] = mark;
    }
  }
  std::string out = legend + "\n";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string label = i == 0 ? number(r.high) : i + 1 == lines.size() ? number(r.low) : "";
    out += concat(std::string(label.size() < 10 ? 10 - label.size() : 0, ' '), label, " |", lines[i], "\n");
  }
  return out;
}

}  // namespace squall
