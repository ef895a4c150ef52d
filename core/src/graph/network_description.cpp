// A network as a description, a network of a description, and going over to another handler.
#include <algorithm>

#include "graph/network_state.hpp"

namespace squall {

namespace {

constexpr std::string_view kOutputs = ".outputs.";

const std::vector<std::string> kKeys{
    "@type",      "architecture", "handler", "initializers", "seed", "weight_modifiers", "gradient_modifiers",
    "output_name"};

void check_description(const json& d, Problems& problems) {
  if (!d.is_object()) return problems.add("description", "should be an object, not " + d.dump());
  if (d.value("@type", json()) != "Network")
    problems.add("description.@type", concat("should be \"Network\", not ", d.value("@type", json()).dump()));
  if (!d.contains("architecture")) problems.add("description", "has no 'architecture'");
  reject_unknown_keys(d, "description", kKeys, problems);
  if (const json seed = d.value("seed", json()); !seed.is_null() && !seed.is_number_unsigned())
    problems.add("description.seed", "should be a whole number from 0, not " + seed.dump());
  if (const json name = d.value("output_name", json()); !name.is_null() && !name.is_string())
    problems.add("description.output_name", "should be a text like \"Output.outputs.predictions\", not " + name.dump());
}

}  // namespace

void Network::set_output_name(std::string_view path) {
  const auto dot = path.find(kOutputs);
  if (dot == std::string_view::npos)
    raise<ConfigError>("'", path, "' is no output; write LAYER.outputs.NAME, like Output.outputs.predictions");
  const int n = graph_.find(path.substr(0, dot));
  if (n < 0)
    raise<ConfigError>("'", path, "': there is no layer '", path.substr(0, dot), "'",
                       did_you_mean(path.substr(0, dot), graph_.names()));
  const auto name = path.substr(dot + kOutputs.size());
  std::vector<std::string> names;
  for (const auto& o : graph_.node(n).outputs) names.push_back(o.name);
  if (std::ranges::find(names, name) == names.end())
    raise<ConfigError>("'", path, "': layer '", graph_.node(n).name, "' has no output '", name, "'",
                       did_you_mean(name, names), "; outputs are: ", join(names));
  output_name_ = std::string(path);
}

json Network::describe() const {
  return {{"@type", "Network"},
          {"architecture", architecture_.to_json()},
          {"handler", handler_->name()},
          {"initializers", initializers_},
          {"seed", initial_seed_},
          {"weight_modifiers", weight_patterns_},
          {"gradient_modifiers", gradient_patterns_},
          {"output_name", output_name_}};
}

std::unique_ptr<Network> network_from(const json& description, const Catalog& catalog, std::shared_ptr<Handler> handler,
                                      const NetworkOptions& options) {
  Problems problems;
  check_description(description, problems);
  problems.raise_if_any("no network can be made of the description");
  const auto given = [&](const char* key) { return description.value(key, json()); };
  auto network = std::make_unique<Network>(Architecture::from_json(given("architecture"), "architecture"), catalog,
                                           std::move(handler), options);
  if (const json patterns = given("initializers"); !patterns.is_null())
    network->initialize(patterns, given("seed").is_null() ? 0 : given("seed").get<std::uint64_t>(), "initializers");
  network->set_weight_modifiers(given("weight_modifiers"));
  network->set_gradient_modifiers(given("gradient_modifiers"));
  if (const json name = given("output_name"); name.is_string()) network->set_output_name(name.get<std::string>());
  return network;
}

void Network::set_handler(std::shared_ptr<Handler> handler) {
  auto store = std::make_unique<ParameterStore>(*store_, *handler);
  std::vector<std::unique_ptr<ContextStore>> contexts;
  for (const auto& pass : passes_) {
    contexts.push_back(std::make_unique<ContextStore>(graph_));
    if (const Context kept = pass->contexts->get(*handler_); !kept.rows.empty()) contexts.back()->set(kept, *handler);
  }
  drop_bindings();
  for (std::size_t i = 0; i < passes_.size(); ++i) passes_[i]->contexts = std::move(contexts[i]);
  arena_ = DeviceBlock();
  for (auto& block : inputs_) block = DeviceBlock();
  ++arena_generation_;
  trainable_pass_ = -1;
  last_backward_ = {};
  store_ = std::move(store);
  store_generation_ = 0;
  handler_ = std::move(handler);  // the old one last: memory of it is given back above
  weight_modifiers_ = make_modifiers(weight_patterns_, "weight_modifiers", false);
  gradient_modifiers_ = make_modifiers(gradient_patterns_, "gradient_modifiers", true);
}

}  // namespace squall
