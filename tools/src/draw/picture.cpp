#include "draw/picture.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <set>

#include "squall/training/mask_report.hpp"

namespace squall::draw {

namespace {

constexpr double kLine = 16, kCharacter = 7.2, kMargin = 12, kGapX = 28, kGapY = 46;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

std::string count(Index n) {
  if (n >= 1000000) return fmt::format("{:.2f} M", static_cast<double>(n) / 1e6);
  return n >= 10000 ? fmt::format("{:.1f} k", static_cast<double>(n) / 1e3) : std::to_string(n);
}

// Names of the parts a network divides into: tasks of multi layers, else nothing.
std::vector<std::string> all_tasks(const Graph& graph) {
  std::vector<std::string> tasks;
  for (const auto& node : graph.nodes())
    for (const auto& task : node.tasks)
      if (std::ranges::find(tasks, task) == tasks.end()) tasks.push_back(task);
  return tasks;
}

// Which tasks an output belongs to: its name in a multi layer; elsewhere what its inputs belong to.
using TaskSets = std::vector<std::vector<std::set<std::string>>>;

TaskSets spread_tasks(const Graph& graph) {
  TaskSets sets(at(graph.size()));
  for (int n = 0; n < graph.size(); ++n) sets[at(n)].resize(graph.node(n).outputs.size());
  for (int n = 0; n < graph.size(); ++n) {
    const Node& node = graph.node(n);
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (o < node.tasks.size()) sets[at(n)][o].insert(node.tasks[o]);
      for (const int i : node.outputs[o].depends) {
        const Source& s = node.inputs[at(i)].source;
        if (node.tasks.empty() && s.kind == Source::Kind::Output)
          sets[at(n)][o].insert(sets[at(s.node)][at(s.slot)].begin(), sets[at(s.node)][at(s.slot)].end());
      }
    }
  }
  for (int n = graph.size(); n-- > 0;)  // back to what feeds them
    for (const auto& in : graph.node(n).inputs) {
      if (in.source.kind != Source::Kind::Output) continue;
      auto& up = sets[at(in.source.node)][at(in.source.slot)];
      const int slot = graph.node(n).find_output(in.name);
      if (!graph.node(n).tasks.empty() && slot >= 0) up.insert(in.name);
      if (graph.node(n).tasks.empty() && up.empty())
        for (const auto& s : sets[at(n)]) up.insert(s.begin(), s.end());
    }
  return sets;
}

Box make_box(const Node& node, const MaskReport& masks) {
  Box box;
  box.name = node.name;
  box.type = node.layer->type();
  Index parameters = 0;
  for (const auto& p : node.parameters) parameters += p.shape.elements();
  for (const auto& o : node.outputs)
    box.lines.push_back(
        fmt::format("{}{}", node.outputs.size() > 1 || o.name != "default" ? o.name + " " : "", o.shape.text()));
  if (parameters > 0) box.lines.push_back(count(parameters) + " parameters");
  for (const auto& tensor : masks.tensors) {
    if (tensor.parameter != node.name + ".W") continue;
    for (std::size_t t = 0; t < tensor.tasks.size(); ++t)
      box.density.emplace_back(tensor.tasks[t],
                               static_cast<double>(tensor.kept[t]) / static_cast<double>(tensor.elements));
  }
  return box;
}

void place_boxes(Picture& p) {
  std::map<int, std::vector<Box*>> rows;
  for (auto& box : p.boxes) {
    std::size_t longest = box.name.size() + box.type.size() + 3;
    for (const auto& line : box.lines) longest = std::max(longest, line.size());
    box.width = std::max(150.0, static_cast<double>(longest) * kCharacter + 2 * kMargin);
    box.height = kLine * static_cast<double>(1 + box.lines.size() + box.density.size()) + 2 * kMargin;
    rows[box.rank].push_back(&box);
  }
  double widest = 0;
  for (const auto& [rank, row] : rows) {
    double width = -kGapX;
    for (const Box* b : row) width += b->width + kGapX;
    widest = std::max(widest, width);
  }
  double y = 60;
  for (auto& [rank, row] : rows) {
    double width = -kGapX;
    double height = 0;
    for (const Box* b : row) {
      width += b->width + kGapX;
      height = std::max(height, b->height);
    }
    double x = 30 + (widest - width) / 2;
    for (Box* b : row) {
      b->x = x;
      b->y = y;
      x += b->width + kGapX;
    }
    y += height + kGapY;
  }
  p.width = widest + 60;
  p.height = y + 10;
}

}  // namespace

Picture make_picture(const Network& network) {
  const Graph& graph = network.graph();
  const MaskReport masks = report_masks(network);
  Picture p;
  p.tasks = all_tasks(graph);
  const TaskSets sets = spread_tasks(graph);
  for (int n = 0; n < graph.size(); ++n) {
    Box box = make_box(graph.node(n), masks);
    std::set<std::string> through;
    for (const auto& s : sets[at(n)]) through.insert(s.begin(), s.end());
    box.tasks.assign(through.begin(), through.end());
    for (const auto& in : graph.node(n).inputs) {
      const Source& s = in.source;
      if (s.kind == Source::Kind::None) continue;
      box.rank = std::max(box.rank, p.boxes[at(s.node)].rank + 1);
      Edge edge{s.node, n, in.shape.text(), {}};
      if (s.kind == Source::Kind::Output)
        edge.tasks.assign(sets[at(s.node)][at(s.slot)].begin(), sets[at(s.node)][at(s.slot)].end());
      p.edges.push_back(edge);
    }
    p.boxes.push_back(std::move(box));
  }
  place_boxes(p);
  return p;
}

std::string colour(const Picture& picture, const std::string& task) {
  static constexpr std::array<const char*, 8> kColours{"#3b6fb6", "#d1733a", "#3f9b63", "#a04fa6",
                                                       "#b8912a", "#c24a5a", "#3a9ba8", "#6b6f7a"};
  const auto found = std::ranges::find(picture.tasks, task);
  return kColours[static_cast<std::size_t>(found - picture.tasks.begin()) % kColours.size()];
}

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

}  // namespace squall::draw
