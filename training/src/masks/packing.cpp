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
    if (entry.form != ParameterForm::Packed) continue;
    const auto& tasks = network.graph().node(entry.node).tasks;
    std::vector<std::ptrdiff_t> rank;
    for (const auto& task : tasks) rank.push_back(std::ranges::find(order, task) - order.begin());
    HostArray read(DType::U8, entry.info->shape);
    const auto owners = entry.mask.span<std::uint8_t>();
    for (std::size_t t = 0; t < rank.size(); ++t)
      for (std::size_t i = 0; i < owners.size(); ++i) {
        const bool reads = owners[i] != kFreeWeight && (owners[i] == t || rank[owners[i]] < rank[t]);
        read.span<std::uint8_t>()[t * owners.size() + i] = reads ? 1 : 0;
      }
    network.store().set_read_mask(entry_of(network, entry), read);
  }
}

}  // namespace squall
