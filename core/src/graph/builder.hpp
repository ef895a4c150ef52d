// Instantiates the layers of an architecture in canonical order and connects them.
#pragma once

#include <map>
#include <set>

#include "squall/core/architecture.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/graph.hpp"

namespace squall {

class GraphBuilder {
 public:
  GraphBuilder(const Architecture& architecture, const Catalog& catalog, Graph& graph)
      : architecture_(architecture), catalog_(catalog), graph_(graph) {}
  void build();

 private:
  void check_architecture();
  std::vector<std::string> canonical_order();
  void report_cycle(const std::set<std::string>& stuck);
  void build_layer(const LayerSpec& spec);
  void declare_masks(const LayerSpec& spec, Node& node);
  bool collect_incoming(const LayerSpec& spec, std::vector<Declare::Incoming>& incoming);
  bool find_source(const Connection& c, Declare::Incoming& found);
  Declare::Incoming join(const std::string& layer, const std::string& input, std::vector<Declare::Incoming> sources);
  void check_all_inputs_declared(const Node& node, const std::vector<Declare::Incoming>& incoming);
  void check_outgoing(const LayerSpec& spec, const Node& node);
  static void check_internal(const Node& node, const std::string& name, const std::string& who);
  void decide_input_types();
  int add_node(Node node);

  const Architecture& architecture_;
  const Catalog& catalog_;
  Graph& graph_;
  Problems problems_;
  std::set<std::string> failed_;  // layers that could not be built
  std::map<std::string, int> node_of_;
};

}  // namespace squall
