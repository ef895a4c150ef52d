// brainstorm's network files, written.
#include "squall/core/flat_parameters.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/io/h5_file.hpp"
#include "squall/tools/import_network.hpp"

namespace squall {

namespace {

// Absent patterns are empty ones there.
json patterns(const json& ours) { return ours.is_null() ? json::object() : ours; }

json brainstorm_description(const Network& network) {
  const json d = network.describe();
  const char* dtype = network.handler().dtype() == DType::F64 ? "float64" : "float32";
  return {{"@type", "Network"},
          {"architecture", d["architecture"]},
          {"handler", {{"@type", "NumpyHandler"}, {"dtype", dtype}}},
          {"initializers", patterns(d["initializers"])},
          {"weight_modifiers", patterns(d["weight_modifiers"])},
          {"gradient_modifiers", patterns(d["gradient_modifiers"])},
          {"output_name", d["output_name"]}};
}

}  // namespace

void save_as_hdf5(const Network& network, const std::filesystem::path& path, std::string_view comment) {
  H5Writer file;
  file.attribute("/", "info", "Created with squall");
  file.attribute("/", "format", "Network file v1.0");
  if (!comment.empty()) file.attribute("/", "comment", comment);
  file.write_text("/description", brainstorm_description(network).dump());
  file.write("/parameters", flat_parameters(network), {4});
  write_file_atomically(path, file.finish());
}

}  // namespace squall
