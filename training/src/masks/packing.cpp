// Slices with disjoint masks in one tensor with owners, and tasks that read what others own.
#include <algorithm>

#include "masks/targets.hpp"
#include "squall/training/mask_memory.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

ParameterEntry& entry_of(Network& network, const ParameterEntry& e) {
  return *network.store().find(network.graph().node(e.node).name, e.info->name);
}

bool disjoint(const ParameterEntry& e) {
  std::vector<std::uint8_t> owned(at(e.slice_shape().elements()), 0);
  for (int t = 0; t < e.tasks(); ++t) {
    if (!masks::is_chosen(e, t)) return false;
    const auto keep = e.mask.span<std::uint8_t>().subspan(at(t) * owned.size(), owned.size());
    for (std::size_t i = 0; i < owned.size(); ++i)
      if ((owned[i] = static_cast<std::uint8_t>(owned[i] + keep[i])) > 1) return false;
  }
  return true;
}

// Slices that have a mask of their own, as owners: 1 in each what it owns.
struct Owned {
  HostArray keep;
  std::vector<char> chosen;
};

Owned owned_by_slices(const ParameterEntry& e) {
  const auto size = at(e.slice_shape().elements());
  Owned out{e.mask, std::vector<char>(at(e.tasks()), 1)};
  if (e.form == ParameterForm::Packed) {
    out.keep = HostArray(DType::U8, e.info->shape);
    const auto owners = e.mask.span<std::uint8_t>();
    for (std::size_t i = 0; i < size; ++i)
      if (owners[i] != kFreeWeight) out.keep.span<std::uint8_t>()[owners[i] * size + i] = 1;
  }
  for (int t = 0; t < e.tasks(); ++t) out.chosen[at(t)] = masks::is_chosen(e, t) ? 1 : 0;
  return out;
}

// One slice reads what another owns: its mask and, where each slice has values of its own, the values.
void read_slice(const Owned& owned, std::size_t from, std::size_t to, HostArray& read, HostArray& values) {
  const auto size = read.span<std::uint8_t>().size() / owned.chosen.size();
  visit_dtype(values.dtype(), [&](auto zero) {
    auto v = values.span<decltype(zero)>();
    for (std::size_t i = 0; i < size; ++i) {
      if (owned.keep.span<std::uint8_t>()[from * size + i] == 0) continue;
      read.span<std::uint8_t>()[to * size + i] = 1;
      v[to * size + i] = v[from * size + i];
    }
  });
}

}  // namespace

void unpack_masks(Network& network) {
  network.store().spread_all();
  std::vector<ParameterEntry*> packed;
  for (const auto& e : network.store().entries())
    if (e.form == ParameterForm::Packed) packed.push_back(&entry_of(network, e));
  if (!packed.empty()) network.store().unpack(packed);
}

void pack_masks(Network& network) {
  std::vector<ParameterEntry*> chosen;
  for (const auto& e : network.store().entries()) {
    if (e.form != ParameterForm::Masked || !e.info->task_axis || e.info->bias) continue;
    if (e.tasks() > 1 && e.tasks() <= kMaxTasks && disjoint(e)) chosen.push_back(&entry_of(network, e));
  }
  if (!chosen.empty()) network.store().pack(chosen);
}

void read_earlier(Network& network, const std::vector<std::string>& order) {
  for (const auto& entry : network.store().entries()) {
    const bool masked = entry.form == ParameterForm::Masked && entry.info->task_axis && !entry.info->bias;
    if (entry.form != ParameterForm::Packed && !masked) continue;
    const auto& tasks = network.graph().node(entry.node).tasks;
    std::vector<std::ptrdiff_t> rank;  // -1: chose before these
    for (const auto& task : tasks) {
      const auto found = std::ranges::find(order, task);
      rank.push_back(found == order.end() ? -1 : found - order.begin());
    }
    const Owned owned = owned_by_slices(entry);
    HostArray read = entry.read.empty() ? owned.keep : entry.read;
    HostArray values = network.store().get(entry);
    for (std::size_t t = 0; t < rank.size(); ++t)
      for (std::size_t u = 0; u < rank.size() && rank[t] >= 0; ++u)
        if (owned.chosen[u] != 0 && rank[u] < rank[t]) read_slice(owned, u, t, read, values);
    ParameterEntry& e = entry_of(network, entry);
    network.store().set_read_mask(e, read);
    if (masked) network.store().set(e, values);
  }
}

}  // namespace squall
