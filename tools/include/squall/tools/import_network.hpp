// Networks that other systems have saved.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall {

struct ImportedNetwork {
  std::unique_ptr<Network> network;
  json description;                // for the model file: the part of an experiment that the file tells
  std::vector<std::string> notes;  // what the file has and a model file has no place for
};

// brainstorm's network files (HDF5, "Network file v1.0"). Without a handler: one of the recorded precision, on the CPU.
// Throws FileError, of one line, when the file is damaged or is none of these.
ImportedNetwork import_network(const std::filesystem::path& file, const Catalog& catalog,
                               std::shared_ptr<Handler> handler, const NetworkOptions& options = {});

// brainstorm's flat vector: layers by name, in each the parameters as declared; its BatchNorm counts statistics, too.
// `what` is for messages.
void set_flat_parameters(Network& network, const HostArray& flat, std::string_view what);

}  // namespace squall
