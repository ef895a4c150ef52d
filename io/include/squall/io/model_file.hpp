// Networks in files. A model file holds
//   /description                   JSON: {"architecture": ..., and what the caller adds ("experiment", "tasks", ...)}
//   /parameters/LAYER/NAME         values; attribute `form`: plain, masked, packed (one tensor for all tasks), stored
//   /masks/LAYER/NAME              masked: u8 of the same shape; packed: owner bytes (255: free); stored: coded
//   /scales/LAYER/NAME             of values in 8 bits
//   /state/LAYER/NAME              running statistics
// in a container whose bytes are all checked before they are used. docs/file_formats.md has every detail.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/io/container.hpp"
#include "squall/io/mask_coding.hpp"

namespace squall {

// How numbers and masks are written. Values that are not the narrow format's are rounded to it.
struct SaveOptions {
  int packing = 1;                                          // 0 writes fast, 9 small
  std::optional<Quantization> quantization = std::nullopt;  // none: single precision (the handler's)
  std::optional<MaskCoding> masks = std::nullopt;           // of stored weights; none: the smallest
};

// Parameters, masks and states of a network into a file under construction, and back.
void write_network(H5Writer& file, const Network& network, const SaveOptions& options = {});
inline void write_network(H5Writer& file, const Network& network, int packing) {
  write_network(file, network, SaveOptions{packing});
}
// Sets forms, masks, values and states. The network must have been made from the file's architecture (or one with the
// same parameters); throws FileError naming what is missing or of another shape.
void read_network(const H5Reader& file, Network& network);

// The whole model file, put in place atomically. `description` may hold anything besides "architecture".
void save_model(const std::filesystem::path& path, const Network& network, const json& description,
                const SaveOptions& options = {});
inline void save_model(const std::filesystem::path& path, const Network& network, const json& description,
                       int packing) {
  save_model(path, network, description, SaveOptions{packing});
}

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
