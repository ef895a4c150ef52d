#include "squall/training/mask_memory.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

std::string path_of(const Network& network, const ParameterEntry& e) {
  return network.graph().node(e.node).name + "." + e.info->name;
}

ParameterEntry& entry_of(Network& network, const ParameterEntry& e) {
  return *network.store().find(network.graph().node(e.node).name, e.info->name);
}

ParameterEntry& find_entry(Network& network, const std::string& parameter) {
  const auto dot = parameter.find('.');
  ParameterEntry* e =
      dot == std::string::npos ? nullptr : network.store().find(parameter.substr(0, dot), parameter.substr(dot + 1));
  if (e != nullptr) return *e;
  std::vector<std::string> known;
  for (const auto& one : network.store().entries()) known.push_back(path_of(network, one));
  raise<ConfigError>("there is no parameter '", parameter, "' to mask", did_you_mean(parameter, known));
}

}  // namespace

HostArray MaskMemory::values(const Network& network, const ParameterEntry& e) const {
  HostArray out = network.store().get(e);
  const auto known = values_.find(path_of(network, e));
  const auto keep = network.store().mask(e);
  if (known == values_.end() || !keep) return out;
  for (Index i = 0; i < out.elements(); ++i)
    if (keep->span<std::uint8_t>()[at(i)] == 0) out.set_value(i, known->second.value(i));
  return out;
}

void MaskMemory::set_mask(Network& network, ParameterEntry& e, const HostArray& keep) {
  const HostArray all = values(network, e);
  auto& store = network.store();
  store.spread({&e});
  if (e.form == ParameterForm::Packed) store.unpack({&e});
  const auto before = store.mask(e);
  store.clear_mask(e);
  store.set(e, all);
  try {
    store.set_mask(e, keep);
  } catch (...) {  // it does not fit: as before
    if (before) store.set_mask(e, *before);
    throw;
  }
  values_[path_of(network, e)] = all;
}

void MaskMemory::open(Network& network) {
  unpack_masks(network);
  for (const auto& entry : network.store().entries()) {
    if (entry.form != ParameterForm::Masked) continue;
    ParameterEntry& e = entry_of(network, entry);
    const HostArray all = values(network, e);
    network.store().clear_mask(e);
    network.store().set(e, all);
  }
  values_.clear();
}

std::vector<std::string> MaskMemory::names() const {
  std::vector<std::string> out;
  for (const auto& [name, values] : values_) out.push_back(name);
  return out;
}

std::vector<HostArray> MaskMemory::arrays() const {
  std::vector<HostArray> out;
  for (const auto& [name, values] : values_) out.push_back(values);
  return out;
}

void MaskMemory::set_arrays(const std::vector<std::string>& names, const std::vector<HostArray>& arrays) {
  SQUALL_CHECK(names.size() == arrays.size(), "MaskMemory: ", names.size(), " names for ", arrays.size(), " arrays");
  values_.clear();
  for (std::size_t i = 0; i < names.size(); ++i) values_[names[i]] = arrays[i];
}

void set_mask(Network& network, const std::string& parameter, const HostArray& keep, MaskMemory* memory) {
  ParameterEntry& e = find_entry(network, parameter);
  if (memory != nullptr) return memory->set_mask(network, e, keep);
  network.store().spread({&e});
  if (e.form == ParameterForm::Packed) network.store().unpack({&e});
  network.store().set_mask(e, keep);
}

}  // namespace squall
