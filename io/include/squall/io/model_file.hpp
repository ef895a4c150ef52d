// Networks in files. A model file holds
//   /description                   JSON: {"architecture": ..., and what the caller adds ("experiment", "tasks", ...)}
//   /parameters/LAYER/NAME         values; attribute `form`: plain, masked, packed (one tensor for all tasks), stored
//   /masks/LAYER/NAME              masked: u8 of the same shape; packed: owner bytes (255: free); stored: gap bytes
//   /state/LAYER/NAME              running statistics
// in a container whose bytes are all checked before they are used. docs/file_formats.md has every detail.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/io/container.hpp"

namespace squall {

// Parameters, masks and states of a network into a file under construction, and back. `packing` 0 writes fast.
void write_network(H5Writer& file, const Network& network, int packing = 1);
// Sets forms, masks, values and states. The network must have been made from the file's architecture (or one with the
// same parameters); throws FileError naming what is missing or of another shape.
void read_network(const H5Reader& file, Network& network);

// The whole model file, put in place atomically. `description` may hold anything besides "architecture".
void save_model(const std::filesystem::path& path, const Network& network, const json& description, int packing = 1);

class ModelFile {
 public:
  explicit ModelFile(const std::filesystem::path& path);
  const json& description() const { return description_; }
  Architecture architecture() const;
  const H5Reader& reader() const { return reader_; }
  void load_into(Network& network) const { read_network(reader_, network); }
  std::size_t bytes() const { return bytes_; }

 private:
  H5Reader reader_;
  json description_;
  std::size_t bytes_ = 0;
};

// Takes over parameters and states that match by layer, name and shape; a line for each one that does not.
struct NotTaken {
  std::vector<std::string> parameters, states;
};
NotTaken take_matching(const H5Reader& file, Network& network);

}  // namespace squall
