#include "squall/core/graph.hpp"

#include <algorithm>

#include "graph/builder.hpp"

namespace squall {

namespace {

template <class Infos>
int find_by_name(const Infos& infos, std::string_view name) {
  const auto found = std::ranges::find_if(infos, [&](const auto& i) { return i.name == name; });
  return found == infos.end() ? -1 : static_cast<int>(found - infos.begin());
}

}  // namespace

int Node::find_input(std::string_view n) const { return find_by_name(inputs, n); }
int Node::find_output(std::string_view n) const { return find_by_name(outputs, n); }
int Node::find_parameter(std::string_view n) const { return find_by_name(parameters, n); }
int Node::find_state(std::string_view n) const { return find_by_name(states, n); }
int Node::find_internal(std::string_view n) const { return find_by_name(internals, n); }

Graph::Graph(const Architecture& architecture, const Catalog& catalog) {
  GraphBuilder(architecture, catalog, *this).build();
  readers_.resize(nodes_.size());
  for (std::size_t n = 0; n < nodes_.size(); ++n) readers_[n].resize(nodes_[n].outputs.size());
  for (int n = 0; n < size(); ++n)
    for (std::size_t i = 0; i < node(n).inputs.size(); ++i) {
      const Source& s = node(n).inputs[i].source;
      if (s.kind == Source::Kind::Output)
        readers_[static_cast<std::size_t>(s.node)][static_cast<std::size_t>(s.slot)].push_back(
            {n, static_cast<int>(i)});
    }
}

int Graph::find(std::string_view name) const { return find_by_name(nodes_, name); }

std::vector<std::string> Graph::names() const {
  std::vector<std::string> out;
  for (const auto& n : nodes_)
    if (!n.implied) out.push_back(n.name);
  return out;
}

std::vector<int> Graph::losses() const {
  std::vector<int> out;
  for (int n = 0; n < size(); ++n)
    if (std::ranges::any_of(node(n).outputs, &OutputInfo::loss)) out.push_back(n);
  return out;
}

const std::vector<Graph::Reader>& Graph::readers(int n, int slot) const {
  return readers_[static_cast<std::size_t>(n)][static_cast<std::size_t>(slot)];
}

Index Graph::parameter_count() const {
  Index count = 0;
  for (const auto& n : nodes_)
    for (const auto& p : n.parameters) count += p.shape.elements();
  return count;
}

}  // namespace squall
