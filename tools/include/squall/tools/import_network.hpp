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

// The same kind of file: what brainstorm writes, of any network. Parameters that have other forms are written as the
// values layers see; layers, initializers and modifiers that brainstorm does not know stand there under our names.
void save_as_hdf5(const Network& network, const std::filesystem::path& file, std::string_view comment = "");

}  // namespace squall
