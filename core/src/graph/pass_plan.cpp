#include "squall/core/pass_plan.hpp"

#include <algorithm>

namespace squall {

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] != '*') return !text.empty() && pattern[0] == text[0] && matches(pattern.substr(1), text.substr(1));
  for (std::size_t n = 0;; ++n) {
    if (matches(pattern.substr(1), text.substr(n))) return true;
    if (n == text.size()) return false;
    const char c = text[n];
    const bool word = c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!word) return false;
  }
}

namespace {

using Send = NodePlan::Send;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class Planner {
 public:
  Planner(const Graph& graph, const PassRequest& request) : graph_(graph) {
    plan_.request = request;
    plan_.nodes.resize(at(graph.size()));
    for (int n = 0; n < graph.size(); ++n) {
      NodePlan& p = plan_.nodes[at(n)];
      p.output_active.assign(graph.node(n).outputs.size(), 0);
      p.input_active.assign(graph.node(n).inputs.size(), 0);
      p.has_delta = p.zero_first = p.output_active;
      p.sends.assign(graph.node(n).inputs.size(), Send::Nothing);
      p.parameter_trained.assign(graph.node(n).parameters.size(), 0);
      p.gradient.assign(graph.node(n).parameters.size(), Send::Nothing);
      p.gradient_zero_first = p.parameter_updated = p.parameter_trained;
    }
  }

  PassPlan run() {
    Problems problems;
    check_frozen(graph_, plan_.request.frozen, "frozen", problems);
    problems.raise_if_any("the pass cannot be run");
    for (int n = 0; n < graph_.size(); ++n)
      plan_.nodes[at(n)].keeps_states = !graph_.node(n).states.empty() && frozen(graph_.node(n));
    mark_heads();
    mark_active();
    if (plan_.request.mode == Mode::Train) {
      mark_deltas();
      order_writers();
      plan_gradients();
    }
    return std::move(plan_);
  }

 private:
  void mark_heads() {
    if (plan_.request.heads.empty())
      for (auto& p : plan_.nodes) std::ranges::fill(p.output_active, char{1});
    for (const auto& head : plan_.request.heads) {
      const auto dot = head.find('.');
      const std::string layer = head.substr(0, dot);
      const int n = graph_.find(layer);
      if (n < 0) raise<ConfigError>("there is no layer '", layer, "' to run", did_you_mean(layer, graph_.names()));
      auto& active = plan_.nodes[at(n)].output_active;
      if (dot == std::string::npos) {
        std::ranges::fill(active, char{1});
        continue;
      }
      const int slot = graph_.node(n).find_output(head.substr(dot + 1));
      if (slot < 0) {
        std::vector<std::string> outputs;
        for (const auto& o : graph_.node(n).outputs) outputs.push_back(o.name);
        raise<ConfigError>("layer '", layer, "' has no output '", head.substr(dot + 1),
                           "'; outputs are: ", join(outputs));
      }
      active[at(slot)] = 1;
    }
  }

  void mark_active() {
    for (int n = graph_.size(); n-- > 0;) {
      const Node& node = graph_.node(n);
      NodePlan& p = plan_.nodes[at(n)];
      for (std::size_t o = 0; o < node.outputs.size(); ++o) {
        if (!p.output_active[o]) continue;
        p.forward = true;
        for (const int i : node.outputs[o].depends) {
          p.input_active[at(i)] = 1;
          const Source& s = node.inputs[at(i)].source;
          if (s.kind == Source::Kind::Output) plan_.nodes[at(s.node)].output_active[at(s.slot)] = 1;
          if (s.kind == Source::Kind::Internal) std::ranges::fill(plan_.nodes[at(s.node)].output_active, char{1});
        }
      }
    }
    for (int n = 1; n < graph_.size(); ++n)  // Input itself is never run
      if (plan_.nodes[at(n)].forward) plan_.forward_order.push_back(n);
  }

  bool frozen(const Node& node) const {
    return std::ranges::any_of(plan_.request.frozen, [&](const std::string& f) { return matches(f, node.name); });
  }
  bool wanted(const Node& node, const OutputInfo& output) const {
    return std::ranges::any_of(plan_.request.wants_deltas,
                               [&](const std::string& w) { return matches(w, node.name + "." + output.name); });
  }

  // An output has a delta if a loss depends on it through differentiable inputs and somebody before it needs one.
  void mark_deltas() {
    mark_trained();
    std::vector<std::vector<char>> needed(at(graph_.size()));
    for (int n = 0; n < graph_.size(); ++n) {
      const Node& node = graph_.node(n);
      const NodePlan& p = plan_.nodes[at(n)];
      bool any = p.forward && std::ranges::find(p.parameter_trained, char{1}) != p.parameter_trained.end();
      for (std::size_t i = 0; i < node.inputs.size(); ++i)
        any =
            any || (p.input_active[i] && node.inputs[i].differentiable && source_needed(node.inputs[i].source, needed));
      for (const auto& output : node.outputs) needed[at(n)].push_back(any || wanted(node, output));
    }
    for (int n = graph_.size(); n-- > 0;) mark_node_deltas(n, needed);
  }

  // Parameters of layers that run, and those that running layers read.
  void mark_trained() {
    for (int n = 0; n < graph_.size(); ++n) {
      const NodePlan& p = plan_.nodes[at(n)];
      for (std::size_t k = 0; k < graph_.node(n).parameters.size() && p.forward; ++k)
        mark_parameter(n, static_cast<int>(k));
      for (std::size_t i = 0; i < graph_.node(n).inputs.size(); ++i) {
        const Source& s = graph_.node(n).inputs[i].source;
        if (s.kind == Source::Kind::Parameter && p.input_active[i]) mark_parameter(s.node, s.slot);
      }
    }
  }
  // A parameter that does not learn gets a gradient for the scores of its mask.
  void mark_parameter(int n, int slot) {
    const ParameterInfo& info = graph_.node(n).parameters[at(slot)];
    NodePlan& p = plan_.nodes[at(n)];
    p.parameter_updated[at(slot)] = learns(n, slot) ? 1 : 0;
    const bool for_scores = info.scores >= 0 && learns(n, info.scores);
    p.parameter_trained[at(slot)] = learns(n, slot) || for_scores ? 1 : 0;
  }
  bool learns(int n, int slot) const {
    const Node& node = graph_.node(n);
    const ParameterInfo& info = node.parameters[at(slot)];
    return !info.frozen && (info.scores_of >= 0 || !frozen(node));
  }

  bool source_needed(const Source& s, const std::vector<std::vector<char>>& needed) const {
    if (s.kind == Source::Kind::Output) return needed[at(s.node)][at(s.slot)] != 0;
    return s.kind == Source::Kind::Parameter && plan_.nodes[at(s.node)].parameter_trained[at(s.slot)] != 0;
  }

  void mark_node_deltas(int n, const std::vector<std::vector<char>>& needed) {
    const Node& node = graph_.node(n);
    NodePlan& p = plan_.nodes[at(n)];
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (!p.output_active[o] || !needed[at(n)][o]) continue;
      if (node.outputs[o].loss) p.backward = n > 0;
      if (!node.outputs[o].takes_delta || node.outputs[o].loss) continue;
      for (const auto& reader : graph_.readers(n, static_cast<int>(o)))
        if (carries(reader)) p.has_delta[o] = 1;
      if (p.has_delta[o] && n > 0) p.backward = true;
    }
  }

  // Whether the reader's backward writes a delta for this input.
  bool carries(const Graph::Reader& r) const {
    const Node& node = graph_.node(r.node);
    const NodePlan& p = plan_.nodes[at(r.node)];
    if (!p.backward || !node.inputs[at(r.input)].differentiable) return false;
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      const bool flows = p.has_delta[o] || (node.outputs[o].loss && p.output_active[o]);
      if (flows && std::ranges::find(node.outputs[o].depends, r.input) != node.outputs[o].depends.end()) return true;
    }
    return false;
  }

  // In backward order the first writer of a delta overwrites, later ones add. A layer that reads one source through two
  // inputs adds both to zeros, so that the order of writing inside a layer never matters.
  void order_writers() {
    for (int n = graph_.size(); n-- > 1;)
      if (plan_.nodes[at(n)].backward) plan_.backward_order.push_back(n);
    std::vector<std::vector<int>> writers(at(graph_.size()));
    for (int n = 0; n < graph_.size(); ++n) writers[at(n)].assign(graph_.node(n).outputs.size(), -1);
    for (const int n : plan_.backward_order) {
      const Node& node = graph_.node(n);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Source& s = node.inputs[i].source;
        if (s.kind != Source::Kind::Output || !plan_.nodes[at(s.node)].has_delta[at(s.slot)]) continue;
        if (!carries({n, static_cast<int>(i)})) continue;
        int& writer = writers[at(s.node)][at(s.slot)];
        if (writer == n) mark_twice(n, s);
        plan_.nodes[at(n)].sends[i] = writer < 0 ? Send::Overwrite : Send::Add;
        if (plan_.nodes[at(s.node)].zero_first[at(s.slot)]) plan_.nodes[at(n)].sends[i] = Send::Add;
        writer = n;
      }
    }
  }

  void mark_twice(int n, const Source& s) {
    const Node& node = graph_.node(n);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!(node.inputs[i].source == s) || plan_.nodes[at(n)].sends[i] != Send::Overwrite) continue;
      plan_.nodes[at(s.node)].zero_first[at(s.slot)] = 1;
      plan_.nodes[at(n)].sends[i] = Send::Add;
    }
  }

  void plan_gradients() {
    for (int n = 1; n < graph_.size(); ++n) {
      NodePlan& p = plan_.nodes[at(n)];
      for (std::size_t k = 0; k < p.gradient.size(); ++k) {
        if (!p.parameter_trained[k]) continue;
        if (p.backward) p.gradient[k] = Send::Overwrite;
        if (!p.backward || (graph_.node(n).parameters[k].task_axis && some_task_rests(n))) p.gradient_zero_first[k] = 1;
      }
    }
    for (const int n : plan_.backward_order)
      for (std::size_t i = 0; i < graph_.node(n).inputs.size(); ++i) {
        const Source& s = graph_.node(n).inputs[i].source;
        if (s.kind != Source::Kind::Parameter || !plan_.nodes[at(s.node)].parameter_trained[at(s.slot)]) continue;
        if (!carries({n, static_cast<int>(i)})) continue;
        NodePlan& owner = plan_.nodes[at(s.node)];
        owner.gradient_zero_first[at(s.slot)] = 1;
        owner.gradient[at(s.slot)] = Send::Add;
        plan_.nodes[at(n)].sends[i] = Send::Add;
      }
  }
  bool some_task_rests(int n) const {
    return std::ranges::find(plan_.nodes[at(n)].has_delta, char{0}) != plan_.nodes[at(n)].has_delta.end();
  }

  const Graph& graph_;
  PassPlan plan_;
};

}  // namespace

void check_frozen(const Graph& graph, const std::vector<std::string>& frozen, std::string_view where,
                  Problems& problems) {
  for (const auto& pattern : frozen) {
    bool any = false, useful = false;
    for (const auto& node : graph.nodes()) {
      if (!matches(pattern, node.name)) continue;
      any = true;
      useful = useful || !node.parameters.empty() || !node.states.empty();
    }
    if (!any)
      problems.add(where, concat("'", pattern, "' matches no layer", did_you_mean(pattern, graph.names())));
    else if (!useful)
      problems.add(where, concat("'", pattern, "' matches only layers that have nothing to learn"));
  }
}

PassPlan plan_pass(const Graph& graph, const PassRequest& request) { return Planner(graph, request).run(); }

}  // namespace squall
