#include <fmt/format.h>

#include "draw/picture.hpp"
#include "squall/tools/draw.hpp"

namespace squall {

namespace {

using namespace draw;

std::string text(double x, double y, const std::string& what, const char* style) {
  return fmt::format("<text x='{:.0f}' y='{:.0f}' {}>{}</text>\n", x, y, style, escape(what));
}

std::string edge_path(const Box& from, const Box& to, const std::string& stroke, double shift) {
  const double x0 = from.x + from.width / 2 + shift;
  const double y0 = from.y + from.height;
  const double x1 = to.x + to.width / 2 + shift;
  const double bend = (to.y - y0) / 2;
  return fmt::format(
      "<path d='M {:.1f} {:.1f} C {:.1f} {:.1f}, {:.1f} {:.1f}, {:.1f} {:.1f}' fill='none' stroke='{}' "
      "stroke-width='2' marker-end='url(#tip)'/>\n",
      x0, y0, x0, y0 + bend, x1, to.y - bend, x1, to.y - 2, stroke);
}

std::string box_svg(const Picture& p, const Box& b) {
  const std::string border = b.tasks.size() == 1 ? colour(p, b.tasks[0]) : "#555b66";
  std::string out = fmt::format(
      "<rect x='{:.0f}' y='{:.0f}' width='{:.0f}' height='{:.0f}' rx='7' fill='#ffffff' stroke='{}' "
      "stroke-width='1.6'/>\n",
      b.x, b.y, b.width, b.height, border);
  double y = b.y + 22;
  out += text(b.x + 12, y, b.name, "font-weight='bold'");
  out += text(b.x + b.width - 12, y, b.type, "text-anchor='end' fill='#6b6f7a' font-size='11'");
  for (const auto& line : b.lines) out += text(b.x + 12, y += 16, line, "fill='#333840'");
  for (const auto& [task, density] : b.density) {
    y += 16;
    const double room = b.width - 24;
    out += fmt::format("<rect x='{:.0f}' y='{:.0f}' width='{:.1f}' height='11' fill='#eceff3'/>\n", b.x + 12, y - 10,
                       room);
    out += fmt::format("<rect x='{:.0f}' y='{:.0f}' width='{:.1f}' height='11' fill='{}' opacity='0.75'/>\n", b.x + 12,
                       y - 10, room * density, colour(p, task));
    out += text(b.x + 16, y - 1, fmt::format("{} {:.1f} %", task, 100 * density), "font-size='10' fill='#222'");
  }
  return out;
}

}  // namespace

std::string draw_svg(const Network& network, const std::string& title) {
  const Picture p = make_picture(network);
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0:.0f}' height='{1:.0f}' viewBox='0 0 {0:.0f} {1:.0f}' "
      "font-family='Helvetica, Arial, sans-serif' font-size='12'>\n",
      p.width, p.height);
  out +=
      "<defs><marker id='tip' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' orient='auto'>"
      "<path d='M0 0 L8 4 L0 8 z' fill='#555b66'/></marker></defs>\n";
  out += fmt::format("<rect width='{:.0f}' height='{:.0f}' fill='#f7f8fa'/>\n", p.width, p.height);
  out += text(30, 30, title, "font-size='16' font-weight='bold'");
  double x = 30;
  for (const auto& task : p.tasks) {
    out += fmt::format("<rect x='{:.0f}' y='38' width='10' height='10' fill='{}'/>\n", x, colour(p, task));
    out += text(x + 14, 47, task, "font-size='11'");
    x += 30 + 7 * static_cast<double>(task.size());
  }
  for (const auto& e : p.edges) {
    const Box& from = p.boxes[static_cast<std::size_t>(e.from)];
    const Box& to = p.boxes[static_cast<std::size_t>(e.to)];
    const std::size_t lanes = std::max<std::size_t>(1, e.tasks.size());
    for (std::size_t k = 0; k < lanes; ++k) {
      std::size_t place = k;
      if (e.tasks.size() == 1 && p.tasks.size() > 1)
        place = static_cast<std::size_t>(std::find(p.tasks.begin(), p.tasks.end(), e.tasks[0]) - p.tasks.begin());
      const double middle = static_cast<double>(std::max<std::size_t>(p.tasks.size(), 1) - 1) / 2;
      out += edge_path(from, to, e.tasks.empty() ? "#555b66" : colour(p, e.tasks[k]),
                       16 * (static_cast<double>(place) - middle));
    }
  }
  for (const auto& b : p.boxes) out += box_svg(p, b);
  return out + "</svg>\n";
}

std::string draw_dot(const Network& network, const std::string& title) {
  const Picture p = make_picture(network);
  std::string out = fmt::format(
      "digraph squall {{\n  label=\"{}\"; labelloc=t; node [shape=box, style=rounded, fontname=Helvetica];\n",
      escape(title));
  for (std::size_t n = 0; n < p.boxes.size(); ++n) {
    const Box& b = p.boxes[n];
    std::string label = escape(b.name) + " (" + b.type + ")";
    for (const auto& line : b.lines) label += "\\n" + escape(line);
    for (const auto& [task, density] : b.density) label += fmt::format("\\n{} {:.1f} %", escape(task), 100 * density);
    const std::string border = b.tasks.size() == 1 ? colour(p, b.tasks[0]) : "#555b66";
    out += fmt::format("  n{} [label=\"{}\", color=\"{}\"];\n", n, label, border);
  }
  for (const auto& e : p.edges)
    out += fmt::format("  n{} -> n{} [label=\"{}\", color=\"{}\"];\n", e.from, e.to, escape(e.label),
                       e.tasks.size() == 1 ? colour(p, e.tasks[0]) : "#555b66");
  return out + "}\n";
}

}  // namespace squall
