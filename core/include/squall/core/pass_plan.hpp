// Which parts of a graph a pass runs: outputs that are wanted, deltas somebody needs, who writes them first.
// Pure data, computed once per kind of pass.
#pragma once

#include <string>
#include <vector>

#include "squall/core/graph.hpp"

namespace squall {

enum class Mode : std::uint8_t { Eval, Train };

// Eval: forward only, statistics frozen. Train: forward and backward.
struct PassRequest {
  Mode mode = Mode::Eval;
  // What is wanted: "Layer" (all its outputs) or "Layer.output". Empty: everything.
  std::vector<std::string> heads;
  // Patterns "Layer.output" of outputs whose deltas are kept although no parameter needs them ("Input.*").
  std::vector<std::string> wants_deltas;
  // Patterns of layers whose parameters get no gradient and whose states (statistics) stay. Scores of learned masks
  // go on learning.
  std::vector<std::string> frozen;
  friend bool operator==(const PassRequest&, const PassRequest&) = default;
};

struct NodePlan {
  bool forward = false, backward = false;
  bool keeps_states = false;  // frozen, and there are some
  std::vector<char> output_active;
  std::vector<char> input_active;  // read in this pass
  std::vector<char> has_delta;     // per output: a delta buffer exists
  std::vector<char> zero_first;    // per output: fill the delta with zeros before its first reader's backward
  enum class Send : char { Nothing, Overwrite, Add };
  std::vector<Send> sends;                // per input: how its delta is written
  std::vector<char> parameter_trained;    // per parameter: gets a gradient
  std::vector<char> parameter_updated;    // per parameter: is changed by updates and modifiers, too
  std::vector<Send> gradient;             // per parameter: how its own layer writes the gradient
  std::vector<char> gradient_zero_first;  // per parameter: fill with zeros at the start of backward
};

struct PassPlan {
  PassRequest request;
  std::vector<NodePlan> nodes;
  std::vector<int> forward_order;   // nodes to run
  std::vector<int> backward_order;  // nodes to run, last layer first
};

// Throws ConfigError for a head that does not exist and for a frozen pattern that matches no layer.
PassPlan plan_pass(const Graph& graph, const PassRequest& request);

// Reports patterns of `frozen` that match no layer, and those that match only layers without parameters and states.
void check_frozen(const Graph& graph, const std::vector<std::string>& frozen, std::string_view where,
                  Problems& problems);

// Whether `text` matches a pattern in which each * stands for any run of letters, digits and underscores.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace squall
