#include "cli/open_network.hpp"

#include "squall/core/network_spec.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/model_file.hpp"
#include "squall/tools/experiment.hpp"

namespace squall::cli {

std::unique_ptr<Network> open_network(const std::filesystem::path& path, const Context& c,
                                      std::shared_ptr<Handler> handler, const NetworkOptions& options) {
  const bool inline_json = path.string().find('{') != std::string::npos;
  if (path.extension() != ".json" && !inline_json) {
    const ModelFile file(path);
    auto net = std::make_unique<Network>(file.architecture(), c.catalog, std::move(handler), options);
    file.load_into(*net);
    return net;
  }
  const std::string name = inline_json ? "network" : path.string();
  const json document = inline_json ? parse_json(path.string(), name) : read_document(path);
  json network = document.is_object() && document.contains("network") ? document["network"] : document;
  if (network.is_string()) {
    const auto beside = path.parent_path() / network.get<std::string>();
    network = parse_json(text_of(read_whole_file(beside)), beside.string());
  }
  json small = {{"default", {{"@type", "DenseSqrtFanIn"}}}, {"fallback", {{"@type", "Gaussian"}, {"std", 0.1}}}};
  if (is_network_spec(network)) {
    const SpecNetwork made = network_from_spec(network, name);
    network = made.architecture.to_json();
    small = made.initialize;
  }
  auto net = std::make_unique<Network>(Architecture::from_json(network, name), c.catalog, std::move(handler), options);
  net->initialize(document.is_object() && document.contains("initialize") ? document["initialize"] : small,
                  c.seed.value_or(1));
  return net;
}

}  // namespace squall::cli
