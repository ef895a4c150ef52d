#include "graph/builder.hpp"

#include <algorithm>

#include "graph/architecture_check.hpp"
#include "graph/join.hpp"
#include "squall/core/learned_mask.hpp"

namespace squall {

void GraphBuilder::build() {
  check_architecture();
  problems_.raise_if_any("the network cannot be used");
  const auto order = canonical_order();
  problems_.raise_if_any("the network cannot be used");
  for (const auto& name : order) build_layer(*architecture_.find(name));
  if (problems_.empty()) decide_input_types();
  problems_.raise_if_any("the network cannot be used");
}

// Architectures that were wired in C++ have not been checked yet.
void GraphBuilder::check_architecture() {
  std::vector<std::string> names;
  for (const auto& l : architecture_.layers()) {
    names.push_back(l.name);
    check_layer_name(l.name, "network." + l.name, problems_);
  }
  check_connections(architecture_.layers(), architecture_.connections(), names, "network", problems_);
}

// Layers by descending height (longest way to a sink), then by name: brainstorm's order, Input first.
std::vector<std::string> GraphBuilder::canonical_order() {
  std::map<std::string, std::set<std::string>> targets;
  for (const auto& l : architecture_.layers()) targets[l.name];
  for (const auto& c : architecture_.connections()) targets[c.from].insert(c.to);
  std::vector<std::string> collected;
  std::set<std::string> done;
  while (done.size() < targets.size()) {
    std::vector<std::string> ready;
    for (const auto& [name, to] : targets) {
      const bool all = std::ranges::all_of(to, [&](const std::string& t) { return done.contains(t); });
      if (!done.contains(name) && all) ready.push_back(name);
    }
    if (ready.empty()) {
      std::set<std::string> stuck;
      for (const auto& [name, to] : targets)
        if (!done.contains(name)) stuck.insert(name);
      report_cycle(stuck);
      return {};
    }
    std::ranges::sort(ready, std::greater{});
    collected.insert(collected.end(), ready.begin(), ready.end());
    done.insert(ready.begin(), ready.end());
  }
  std::ranges::reverse(collected);
  const auto input = std::ranges::find(collected, "Input");
  if (input != collected.end()) std::rotate(collected.begin(), input, input + 1);
  return collected;
}

void GraphBuilder::report_cycle(const std::set<std::string>& stuck) {
  std::string at = *stuck.begin();
  std::vector<std::string> way;
  while (std::ranges::find(way, at) == way.end()) {  // every stuck layer has a stuck target
    way.push_back(at);
    for (const auto& c : architecture_.connections())
      if (c.from == at && stuck.contains(c.to)) {
        at = c.to;
        break;
      }
  }
  way.erase(way.begin(), std::ranges::find(way, at));
  way.push_back(at);
  problems_.add("network", concat("the layers form a cycle: ", squall::join(way, " -> ")));
}

int GraphBuilder::add_node(Node node) {
  graph_.nodes_.push_back(std::move(node));
  return graph_.size() - 1;
}

void GraphBuilder::build_layer(const LayerSpec& spec) {
  json description = spec.options;
  description["@type"] = spec.type;
  Node node;
  node.name = spec.name;
  const auto before = problems_.all().size();
  node.layer = catalog_.of<Layer>().make(description, "layer '" + spec.name + "'", catalog_, problems_);
  std::vector<Declare::Incoming> incoming;
  const bool sources_known = collect_incoming(spec, incoming);
  if (problems_.all().size() > before || !sources_known) {
    failed_.insert(spec.name);
    return;
  }
  try {
    Declare declare(node, graph_.symbols_, incoming);
    node.layer->declare(declare);
    declare_masks(spec, node);
    for (auto& output : node.outputs)
      if (output.depends.empty())
        for (std::size_t i = 0; i < node.inputs.size(); ++i) output.depends.push_back(static_cast<int>(i));
    check_all_inputs_declared(node, incoming);
    check_outgoing(spec, node);
  } catch (const ShapeError& e) {  // sizes that a layer did not expect
    problems_.add("", concat(node.layer->type(), " '", spec.name, "': ", e.what()));
    failed_.insert(spec.name);
    return;
  } catch (const Error& e) {
    problems_.add("", e.what());
    failed_.insert(spec.name);
    return;
  }
  node_of_[spec.name] = add_node(std::move(node));
}

// "@masks" of a layer: one mask for all its weights, or masks by name of parameter, "*" for the weights left.
void GraphBuilder::declare_masks(const LayerSpec& spec, Node& node) {
  const auto found = spec.options.find("@masks");
  if (found == spec.options.end()) return;
  const std::string where = concat("network.", spec.name, ".@masks");
  const auto make = [&](const json& j) -> std::shared_ptr<const LearnedMask> {
    return catalog_.of<LearnedMask>().make(j, where, catalog_, problems_);
  };
  try {
    if (!found->is_object()) raise<ConfigError>("should be a mask or an object of masks, not ", found->dump());
    const bool one = found->contains("@type");
    for (const auto& [name, value] : found->items()) {
      if (one || name == "*") continue;
      const int slot = node.find_parameter(name);
      if (slot < 0) raise<ConfigError>("has no parameter '", name, "'");
      if (const auto mask = make(value)) add_mask(node, slot, mask);
    }
    if (!one && !found->contains("*")) return;
    if (const auto mask = make(one ? *found : (*found)["*"]))
      if (add_masks(node, mask) == 0) raise<ConfigError>("there are no weights to mask");
  } catch (const ConfigError& e) {
    problems_.add(where, e.what());
  }
}

bool GraphBuilder::find_source(const Connection& c, Declare::Incoming& found) {
  const auto at = node_of_.find(c.from);
  if (at == node_of_.end()) return false;  // its own problem is already reported
  const Node& from = graph_.node(at->second);
  found.input = c.input;
  found.dtype_open = false;
  found.dtype = DType::F32;
  if (c.output.starts_with("..parameters.")) {
    const std::string name = c.output.substr(13);
    const int slot = from.find_parameter(name);
    found.source = {Source::Kind::Parameter, at->second, slot};
    found.path = c.from + ".parameters." + name;
    found.shape = BufferShape{-1, -1, from.parameters[static_cast<std::size_t>(slot)].shape};
    return true;
  }
  if (c.output.starts_with("..internals.")) {
    const std::string name = c.output.substr(12);
    const int slot = from.find_internal(name);
    InternalInfo& internal =
        graph_.nodes_[static_cast<std::size_t>(at->second)].internals[static_cast<std::size_t>(slot)];
    internal.read_by_others = true;
    found.source = {Source::Kind::Internal, at->second, slot};
    found.path = c.from + ".internals." + name;
    found.shape = internal.shape;
    found.dtype = internal.dtype;
    return true;
  }
  const int slot = from.find_output(c.output);
  const OutputInfo& output = from.outputs[static_cast<std::size_t>(slot)];
  found.source = {Source::Kind::Output, at->second, slot};
  found.path = c.from + "." + c.output;
  found.shape = output.shape;
  found.dtype = output.dtype;
  found.dtype_open = from.name == "Input";
  return true;
}

bool GraphBuilder::collect_incoming(const LayerSpec& spec, std::vector<Declare::Incoming>& incoming) {
  std::map<std::string, std::vector<Declare::Incoming>> by_input;
  for (const auto& c : architecture_.connections()) {
    if (c.to != spec.name) continue;
    Declare::Incoming one;
    if (!find_source(c, one)) return false;
    by_input[c.input].push_back(std::move(one));
  }
  try {
    for (auto& [input, sources] : by_input)
      incoming.push_back(sources.size() == 1 ? sources[0] : join(spec.name, input, std::move(sources)));
  } catch (const Error& e) {
    problems_.add("", e.what());
    return false;
  }
  return true;
}

// Several sources of one input become one node that joins them along the last axis, in the order of their paths.
Declare::Incoming GraphBuilder::join(const std::string& layer, const std::string& input,
                                     std::vector<Declare::Incoming> sources) {
  std::ranges::sort(sources, {}, &Declare::Incoming::path);
  std::vector<Declare::Incoming> renamed = sources;
  auto joined = std::make_unique<Join>();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    renamed[i].input = concat("source_", i + 1);
    joined->paths.push_back(sources[i].path);
  }
  Node node;
  node.name = layer + "." + input;
  node.implied = true;
  node.layer = std::move(joined);
  Declare declare(node, graph_.symbols_, renamed);
  node.layer->declare(declare);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) node.outputs[0].depends.push_back(static_cast<int>(i));
  const int index = add_node(std::move(node));
  const OutputInfo& output = graph_.node(index).outputs[0];
  return {input, {Source::Kind::Output, index, 0}, layer + "." + input, output.shape, DType::F32, false};
}

void GraphBuilder::check_all_inputs_declared(const Node& node, const std::vector<Declare::Incoming>& incoming) {
  std::vector<std::string> names;
  for (const auto& i : node.inputs) names.push_back(i.name);
  for (const auto& c : incoming)
    if (node.find_input(c.input) < 0)
      problems_.add(
          "", concat(node.layer->type(), " '", node.name, "': has no input '", c.input, "' for '", c.path, "'",
                     did_you_mean(c.input, names), "; inputs are: ", names.empty() ? "none" : squall::join(names)));
}

void GraphBuilder::check_internal(const Node& node, const std::string& name, const std::string& who) {
  std::vector<std::string> internals;
  for (const auto& i : node.internals)
    if (i.life != Life::Backward) internals.push_back(i.name);
  if (std::ranges::find(internals, name) == internals.end())
    raise<ConfigError>(who, ": has no internal '", name, "'", did_you_mean(name, internals),
                       "; internals are: ", internals.empty() ? "none" : squall::join(internals));
}

void GraphBuilder::check_outgoing(const LayerSpec& spec, const Node& node) {
  std::vector<std::string> outputs;
  std::vector<std::string> parameters;
  for (const auto& o : node.outputs) outputs.push_back(o.name);
  for (const auto& p : node.parameters) parameters.push_back(p.name);
  const std::string who = concat(node.layer->type(), " '", node.name, "'");
  for (const auto& c : architecture_.connections()) {
    if (c.from != spec.name) continue;
    if (c.output.starts_with("..parameters.")) {
      const std::string name = c.output.substr(13);
      if (node.find_parameter(name) < 0)
        raise<ConfigError>(who, ": has no parameter '", name, "'", did_you_mean(name, parameters),
                           "; parameters are: ", parameters.empty() ? "none" : squall::join(parameters));
    } else if (c.output.starts_with("..internals.")) {
      check_internal(node, c.output.substr(12), who);
    } else if (c.output.starts_with("..")) {
      raise<ConfigError>(who, ": cannot be left from '", c.output,
                         "'; only outputs, ..parameters.NAME and ..internals.NAME can");
    } else if (node.find_output(c.output) < 0) {
      raise<ConfigError>(who, ": has no output '", c.output, "'", did_you_mean(c.output, outputs),
                         "; outputs are: ", outputs.empty() ? "none" : squall::join(outputs));
    }
  }
}

// Outputs of Input have the element type their readers ask for.
void GraphBuilder::decide_input_types() {
  Node& input = graph_.nodes_.front();
  for (std::size_t slot = 0; slot < input.outputs.size(); ++slot) {
    bool first = true;
    std::string reader;
    for (const auto& node : graph_.nodes_)
      for (const auto& in : node.inputs) {
        if (!(in.source == Source{Source::Kind::Output, 0, static_cast<int>(slot)})) continue;
        OutputInfo& output = input.outputs[slot];
        if (!first && output.dtype != in.dtype)
          problems_.add("", concat("Input.", output.name, " is read as ", name_of(output.dtype), " by '", reader,
                                   "' and as ", name_of(in.dtype), " by '", node.name, "'; use two outputs of Input"));
        output.dtype = in.dtype;
        reader = node.name;
        first = false;
      }
  }
}

}  // namespace squall
