#include "squall/io/model_file.hpp"

#include <algorithm>

#include "squall/io/mask_coding.hpp"

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

HostArray indices(const std::vector<Index>& values) {
  HostArray out(DType::I32, Shape{static_cast<Index>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) out.set_value(static_cast<Index>(i), static_cast<double>(values[i]));
  return out;
}

void write_stored(H5Writer& file, const std::string& values_path, const std::string& mask_path, const ParameterEntry& e,
                  int packing) {
  std::vector<float> values;
  std::vector<std::uint8_t> gaps;
  std::vector<Index> kept;
  std::vector<Index> formats;
  for (const auto& slice : e.packed) {
    values.insert(values.end(), slice.value.begin(), slice.value.end());
    append_gaps(slice, gaps);
    kept.push_back(slice.kept());
    formats.push_back(static_cast<Index>(slice.format));
  }
  const auto extents = e.info->shape.extents();
  file.write(values_path, HostArray::of(Shape{static_cast<Index>(values.size())}, values), {packing});
  file.attribute(values_path, "form", form_name(e.form));
  file.attribute(values_path, "shape", indices({extents.begin(), extents.end()}));
  file.attribute(values_path, "kept", indices(kept));
  file.attribute(values_path, "format", indices(formats));
  file.write(mask_path, HostArray::of(Shape{static_cast<Index>(gaps.size())}, gaps), {std::max(packing, 6)});
  file.attribute(mask_path, "encoding", "gaps8");
}

std::vector<Index> read_indices(const H5Reader& file, const std::string& path, std::string_view name) {
  const HostArray a = file.attribute_array(path, name, DType::I32);
  std::vector<Index> out;
  for (Index i = 0; i < a.elements(); ++i) out.push_back(static_cast<Index>(a.value(i)));
  return out;
}

void read_stored(const H5Reader& file, const std::string& values_path, const std::string& mask_path, ParameterEntry& e,
                 ParameterStore& store) {
  const std::string who = file.name() + ": " + values_path;
  const auto shape = read_indices(file, values_path, "shape");
  const auto kept = read_indices(file, values_path, "kept");
  const auto formats = read_indices(file, values_path, "format");
  if (Shape(shape) != e.info->shape)
    raise<FileError>(who, " is ", Shape(shape), ", but the network has ", e.info->shape);
  if (kept.size() != static_cast<std::size_t>(e.tasks()) || formats.size() != kept.size())
    raise<FileError>(who, " holds ", kept.size(), " tasks, but the network has ", e.tasks());
  const HostArray values = file.read(values_path, DType::F32);
  const HostArray gaps = file.read(mask_path, DType::U8);
  auto rest_values = values.span<float>();
  auto rest_gaps = gaps.span<std::uint8_t>();
  const Shape slice = e.slice_shape();
  const Index rows = slice.rank() > 0 ? slice[0] : 1;
  std::vector<PackedWeight> slices;
  for (std::size_t t = 0; t < kept.size(); ++t) {
    slices.push_back(
        take_slice(rows, slice.elements() / std::max<Index>(rows, 1), kept[t], rest_gaps, rest_values, who));
    if (formats[t] < 0 || formats[t] > static_cast<Index>(WeightFormat::Sparse))
      raise<FileError>(who, " has an unknown weight format ", formats[t]);
    slices.back().format = static_cast<WeightFormat>(formats[t]);
  }
  store.set_stored(e, std::move(slices));
}

void read_parameter(const H5Reader& file, const std::string& layer, ParameterEntry& e, ParameterStore& store) {
  const std::string values_path = h5_path({"parameters", layer, e.info->name});
  const std::string mask_path = h5_path({"masks", layer, e.info->name});
  if (!file.exists(values_path)) raise<FileError>(file.name(), ": has no ", values_path, ", which the network needs");
  const std::string form = file.has_attribute(values_path, "form") ? file.attribute_text(values_path, "form") : "plain";
  if (form == "stored") {
    read_stored(file, values_path, mask_path, e, store);
  } else if (form == "packed") {
    store.set_packed(e, file.read(values_path), file.read(mask_path, DType::U8));
    const std::string read_path = h5_path({"reads", layer, e.info->name});
    if (file.exists(read_path)) store.set_read_mask(e, file.read(read_path, DType::U8));
  } else if (form == "plain" || form == "masked") {
    store.spread({&e});
    if (e.form == ParameterForm::Packed) store.unpack({&e});
    if (e.form == ParameterForm::Masked) store.clear_mask(e);
    if (form == "masked") store.set_mask(e, file.read(mask_path, DType::U8));
    store.set(e, file.read(values_path));
  } else {
    raise<FileError>(file.name(), ": ", values_path, " has an unknown form '", form, "'");
  }
}

template <class F>
void for_each_state(const Graph& graph, F&& f) {
  for (int n = 0; n < graph.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph.node(n).states.size()); ++k)
      f(n, k, graph.node(n).name, graph.node(n).states[static_cast<std::size_t>(k)].name);
}

}  // namespace

void write_network(H5Writer& file, const Network& network, int packing) {
  const ParameterStore& store = network.store();
  auto& memory = network.handler().memory();
  for (const char* group : {"/parameters", "/masks", "/state"}) file.group(group);
  for (const auto& e : store.entries()) {
    const std::string& layer = network.graph().node(e.node).name;
    const std::string values_path = h5_path({"parameters", layer, e.info->name});
    const std::string mask_path = h5_path({"masks", layer, e.info->name});
    if (e.form == ParameterForm::Stored) {
      write_stored(file, values_path, mask_path, e, packing);
      continue;
    }
    const ParameterForm form = store.spread_form(e);
    const bool sparse = form != ParameterForm::Plain;
    const HostArray values = form == ParameterForm::Masked ? store.get(e) : store.spread_storage(e);
    file.write(values_path, values, {sparse ? packing : 0});
    file.attribute(values_path, "form", form_name(form));
    if (sparse) file.write(mask_path, e.mask, {packing});
    if (!e.read.empty()) file.write(h5_path({"reads", layer, e.info->name}), e.read, {packing});
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

void save_model(const std::filesystem::path& path, const Network& network, const json& description, int packing) {
  H5Writer file = container_writer();
  json whole = description;
  whole["architecture"] = network.architecture().to_json();
  file.write_text("/description", whole.dump());
  file.attribute("/", "format", "squall model");
  file.attribute("/", "format_version", 1);
  write_network(file, network, packing);
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
