#include "squall/training/mask_layers.hpp"

#include <algorithm>
#include <functional>

namespace squall {

namespace {

using Names = std::vector<std::string>;

// Names the masked kind of a layer could have, and the unmasked one.
Names masked_names(const std::string& type) {
  Names out;
  if (type.starts_with("Multi")) out.push_back("MultiMasked" + type.substr(5));
  out.push_back("Masked" + type);
  return out;
}
Names unmasked_names(const std::string& type) {
  if (type.starts_with("MultiMasked")) return {"Multi" + type.substr(11)};
  if (type.starts_with("Masked")) return {type.substr(6)};
  return {};
}

void check_options(const LayerSpec& spec, const std::string& type, const Family<Layer>& layers) {
  Names known;
  for (const auto& option : layers.doc(type).options) known.push_back(option.name);
  for (const auto& [key, value] : spec.options.items())
    if (std::ranges::find(known, key) == known.end())
      raise<ConfigError>("layer '", spec.name, "' cannot become a ", type, ", which has no option '", key,
                         "'; leave it out or keep the ", spec.type);
}

Architecture converted(const Architecture& architecture, const Catalog& catalog,
                       const std::function<Names(const std::string&)>& names, const char* complaint) {
  const auto& layers = catalog.of<Layer>();
  Architecture out;
  bool any = false;
  for (const auto& spec : architecture.layers()) {
    LayerSpec made = spec;
    for (const auto& type : names(spec.type)) {
      if (!layers.contains(type)) continue;
      if (spec.type.find("Masked") != std::string::npos) made.options.erase("sparsify");
      check_options(made, type, layers);
      made.type = type;
      any = true;
      break;
    }
    out.add(made.name, made.type, made.options);
  }
  if (!any) raise<ConfigError>(complaint);
  for (const auto& c : architecture.connections()) out.connect(c);
  return out;
}

std::unique_ptr<Network> with_values_of(const Network& from, const Architecture& architecture) {
  auto to = std::make_unique<Network>(architecture, from.catalog(), from.handler_pointer(), from.options());
  for (const auto& e : from.store().entries()) {
    const std::string& layer = from.graph().node(e.node).name;
    const ParameterEntry* target = to->store().find(layer, e.info->name);
    if (target == nullptr || target->info->shape != e.info->shape)
      raise<ConfigError>("the parameter ", layer, ".", e.info->name, " has no place after the conversion");
    to->store().set(*target, from.store().get(e));
  }
  to->set_states(from.get_states());
  return to;
}

}  // namespace

Architecture with_masked_layers(const Architecture& architecture, const Catalog& catalog) {
  return converted(
      architecture, catalog, masked_names,
      "the network has no layer that could get masks: those of which there is a masked kind (Dense, Conv2D, "
      "MultiDense, ...) have them already");
}
Architecture without_masked_layers(const Architecture& architecture, const Catalog& catalog) {
  return converted(architecture, catalog, unmasked_names,
                   "the network has no masked layers (MaskedDense, MultiMaskedConv2D, ...), so there are no masks to "
                   "remove");
}

std::unique_ptr<Network> add_masks(const Network& network) {
  return with_values_of(network, with_masked_layers(network.architecture(), network.catalog()));
}
std::unique_ptr<Network> remove_masks(const Network& network) {
  return with_values_of(network, without_masked_layers(network.architecture(), network.catalog()));
}

}  // namespace squall
