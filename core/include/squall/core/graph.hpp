// A network as data: nodes in canonical order with everything their layers declared. No memory, no handler.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "squall/core/dtype.hpp"
#include "squall/core/layer.hpp"

namespace squall {

class Architecture;
class Catalog;
class LearnedMask;

// Where an input gets its data: an output, a parameter or an internal of a node. Internals take no deltas: nothing goes
// back through them.
struct Source {
  enum class Kind : std::uint8_t { None, Output, Parameter, Internal };
  Kind kind = Kind::None;
  int node = -1, slot = -1;
  friend bool operator==(const Source&, const Source&) = default;
};

struct InputInfo {
  std::string name;
  BufferShape shape;
  Source source;
  DType dtype = DType::F32;    // F32 stands for the handler's real type
  bool differentiable = true;  // the layer computes a delta for it
  bool read_in_backward = false;
};

struct OutputInfo {
  std::string name;
  BufferShape shape;
  DType dtype = DType::F32;
  Index context = 0;              // rows of carried state before the first time step
  bool read_in_backward = false;  // by its own layer
  bool takes_delta = true;        // false: deltas arriving here are ignored
  bool loss = false;              // a root of back-propagation
  std::vector<int> depends;       // inputs it is computed from
};

struct ParameterInfo {
  std::string name;
  Shape shape;                    // with tasks: (T, ...)
  std::optional<double> initial;  // used when only a `default` pattern reaches it
  bool task_axis = false;         // slice t belongs to output t of the layer
  bool maskable = false;          // a weight that sparsification may claim
  bool bias = false;
  bool patterned = false;  // a weight whose layer's plans take a pattern of entries
  // Learned masks: the layer sees the values under `mask`, whose scores are the parameter `scores` of the node (-1: it
  // needs none). A bias may share the scores of the weight `tied_to`.
  std::shared_ptr<const LearnedMask> mask = nullptr;
  int scores = -1, tied_to = -1;
  int scores_of = -1;   // this parameter holds the scores of that one
  bool frozen = false;  // never updated
};

struct StateInfo {
  std::string name;
  Shape shape;
  double initial = 0;
};

enum class Life : std::uint8_t { Forward, Both, Backward };  // when an internal holds data

struct InternalInfo {
  std::string name;
  BufferShape shape;
  DType dtype = DType::F32;
  Index context = 0;
  Life life = Life::Both;
  bool read_by_others = false;  // zero where its layer writes nothing
};

struct Node {
  std::string name;
  std::unique_ptr<Layer> layer;
  bool implied = false;  // inserted to join several sources of one input
  std::vector<InputInfo> inputs;
  std::vector<OutputInfo> outputs;
  std::vector<ParameterInfo> parameters;
  std::vector<StateInfo> states;
  std::vector<InternalInfo> internals;
  int plans = 0;
  std::vector<std::string> tasks;  // of multi layers: names of outputs with task-owned slices, in order

  int find_input(std::string_view name) const;
  int find_output(std::string_view name) const;
  int find_parameter(std::string_view name) const;
  int find_state(std::string_view name) const;
  int find_internal(std::string_view name) const;
};

class Graph {
 public:
  // Instantiates and connects all layers; throws ConfigError with every problem found.
  Graph(const Architecture& architecture, const Catalog& catalog);

  const std::vector<Node>& nodes() const { return nodes_; }
  const Node& node(int i) const { return nodes_[static_cast<std::size_t>(i)]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  const Symbols& symbols() const { return symbols_; }
  int find(std::string_view name) const;  // -1 if there is none
  std::vector<std::string> names() const;
  std::vector<int> losses() const;  // nodes with a loss output, in order
  // Nodes (and their inputs) that read output `slot` of node `n`.
  struct Reader {
    int node, input;
  };
  const std::vector<Reader>& readers(int n, int slot) const;
  Index parameter_count() const;

 private:
  friend class GraphBuilder;
  std::vector<Node> nodes_;
  Symbols symbols_;
  std::vector<std::vector<std::vector<Reader>>> readers_;
};

}  // namespace squall
