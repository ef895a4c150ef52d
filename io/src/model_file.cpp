#include "squall/io/model_file.hpp"

#include <algorithm>

#include "stored_weights.hpp"

namespace squall {

namespace {

std::string_view form_name(ParameterForm f) {
  switch (f) {
    case ParameterForm::Plain: return "plain";
    case ParameterForm::Masked: return "masked";
    case ParameterForm::Packed: return "packed";
    case ParameterForm::Kept: break;  // files do not know it
    case ParameterForm::Stored: return "stored";
  }
  return "";
}

void read_parameter(const H5Reader& file, const std::string& layer, ParameterEntry& e, ParameterStore& store) {
  const ParameterPaths at(layer, e.info->name);
  if (!file.exists(at.values)) raise<FileError>(file.name(), ": has no ", at.values, ", which the network needs");
  const std::string form = file.has_attribute(at.values, "form") ? file.attribute_text(at.values, "form") : "plain";
  if (form == "stored") {
    store.set_stored(e, read_stored(file, at, e));
  } else if (form == "packed") {
    const HostArray owners = file.read(at.mask, DType::U8);
    if (owners.shape() != e.slice_shape())
      raise<FileError>(file.name(), ": ", at.mask, " is ", owners.shape(), ", but the network has ", e.slice_shape());
    store.set_packed(e, read_values(file, at, [&] { return Scales::by_owners(e, owners); }), owners);
    if (file.exists(at.reads)) store.set_read_mask(e, file.read(at.reads, DType::U8));
  } else if (form == "plain" || form == "masked") {
    store.spread({&e});
    if (e.form == ParameterForm::Packed) store.unpack({&e});
    if (e.form == ParameterForm::Masked) store.clear_mask(e);
    if (form == "masked") store.set_mask(e, file.read(at.mask, DType::U8));
    if (form == "masked" && file.exists(at.reads)) store.set_read_mask(e, file.read(at.reads, DType::U8));
    store.set(e, read_values(file, at, [&] { return Scales::by_rows(e); }));
  } else {
    raise<FileError>(file.name(), ": ", at.values, " has an unknown form '", form, "'");
  }
}

template <class F>
void for_each_state(const Graph& graph, F&& f) {
  for (int n = 0; n < graph.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph.node(n).states.size()); ++k)
      f(n, k, graph.node(n).name, graph.node(n).states[static_cast<std::size_t>(k)].name);
}

}  // namespace

void write_network(H5Writer& file, const Network& network, const SaveOptions& options) {
  const ParameterStore& store = network.store();
  auto& memory = network.handler().memory();
  for (const char* group : {"/parameters", "/masks", "/state"}) file.group(group);
  for (const auto& e : store.entries()) {
    const std::string& layer = network.graph().node(e.node).name;
    const ParameterPaths at(layer, e.info->name);
    if (e.form == ParameterForm::Stored) {
      write_stored(file, at, e, options);
      continue;
    }
    const ParameterForm form = store.spread_form(e);
    const bool sparse = form != ParameterForm::Plain;
    const HostArray values = form == ParameterForm::Masked ? store.get(e) : store.spread_storage(e);
    const bool packed = form == ParameterForm::Packed;
    const Scales scales = !takes_int8(e) ? Scales{} : packed ? Scales::by_owners(e, e.mask) : Scales::by_rows(e);
    write_values(file, at, values, scales, sparse || options.quantization ? options.packing : 0, options.quantization);
    file.attribute(at.values, "form", form_name(form));
    if (sparse) file.write(at.mask, e.mask, {options.packing});
    if (!e.read.empty()) file.write(at.reads, e.read, {options.packing});
  }
  for_each_state(network.graph(), [&](int n, int k, const std::string& layer, const std::string& name) {
    file.write(h5_path({"state", layer, name}), memory.to_host(store.state(n, k)));
  });
}

void read_network(const H5Reader& file, Network& network) {
  ParameterStore& store = network.store();
  for (const auto& entry : store.entries()) {
    const std::string& layer = network.graph().node(entry.node).name;
    read_parameter(file, layer, *store.find(layer, entry.info->name), store);
  }
  for_each_state(network.graph(), [&](int, int, const std::string& layer, const std::string& name) {
    const std::string path = h5_path({"state", layer, name});
    if (!file.exists(path)) raise<FileError>(file.name(), ": has no ", path, ", which the network needs");
    network.set_parameter(layer + "." + name, file.read(path));
  });
}

void save_model(const std::filesystem::path& path, const Network& network, const json& description,
                const SaveOptions& options) {
  H5Writer file = container_writer();
  json whole = description;
  whole["architecture"] = network.architecture().to_json();
  file.write_text("/description", whole.dump());
  file.attribute("/", "format", "squall model");
  file.attribute("/", "format_version", 1);
  write_network(file, network, options);
  write_container(path, file);
}

ModelFile::ModelFile(const std::filesystem::path& path) : reader_(open_container(path)) {
  bytes_ = std::filesystem::file_size(path);
  description_ = parse_json(reader_.text("/description"), path.string() + ":/description");
  if (!description_.contains("architecture")) raise<FileError>(path.string(), ": holds no network");
}

Architecture ModelFile::architecture() const {
  return Architecture::from_json(description_["architecture"], reader_.name() + ": architecture");
}

NotTaken take_matching(const H5Reader& file, Network& network) {
  NotTaken left;
  ParameterStore& store = network.store();
  for (const auto& entry : store.entries()) {
    const std::string& layer = network.graph().node(entry.node).name;
    try {
      read_parameter(file, layer, *store.find(layer, entry.info->name), store);
    } catch (const Error& e) {
      left.parameters.emplace_back(e.what());
    }
  }
  for_each_state(network.graph(), [&](int, int, const std::string& layer, const std::string& name) {
    const std::string path = h5_path({"state", layer, name});
    if (file.exists(path) && file.shape(path) == network.get(layer + ".state." + name).shape())
      network.set_parameter(layer + "." + name, file.read(path));
    else
      left.states.push_back(file.name() + ": has no matching " + path);
  });
  return left;
}

}  // namespace squall
