#include "squall/training/masked_snapshot.hpp"

#include <algorithm>

#include "squall/training/mask_memory.hpp"

namespace squall {

namespace {

bool is_whole(const HostArray& mask) {
  const auto bytes = mask.span<std::uint8_t>();
  return std::ranges::find(bytes, std::uint8_t{0}) == bytes.end();
}

HostArray mask_of(const Network& network, const ParameterEntry& e) {
  if (auto keep = network.store().mask(e)) return *keep;
  HostArray ones(DType::U8, e.info->shape);
  std::ranges::fill(ones.span<std::uint8_t>(), std::uint8_t{1});
  return ones;
}

}  // namespace

void MaskedSnapshot::capture(const Network& network) {
  clear();
  for (const auto& e : network.store().entries()) {
    values_.push_back(network.store().get(e));
    masks_.push_back(mask_of(network, e));
  }
  states_ = network.get_states();
  taken_ = true;
}

void MaskedSnapshot::restore(Network& network) const {
  if (!taken_) raise<ConfigError>("there are no kept parameters to put back");
  unpack_masks(network);
  ParameterStore& store = network.store();
  for (std::size_t i = 0; i < store.entries().size(); ++i) {
    const ParameterEntry& entry = store.entries()[i];
    if (entry.form == ParameterForm::Stored) continue;
    ParameterEntry& e = *store.find(network.graph().node(entry.node).name, entry.info->name);
    store.clear_mask(e);
    if (!is_whole(masks_[i])) store.set_mask(e, masks_[i]);
    store.set(e, values_[i]);
  }
  network.set_states(states_);
}

void MaskedSnapshot::clear() {
  taken_ = false;
  values_.clear();
  masks_.clear();
  states_.clear();
}

std::vector<HostArray> MaskedSnapshot::arrays() const {
  std::vector<HostArray> out;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    out.push_back(values_[i]);
    out.push_back(masks_[i]);
  }
  out.insert(out.end(), states_.begin(), states_.end());
  return out;
}

void MaskedSnapshot::set_arrays(std::vector<HostArray> arrays, const Network& network) {
  clear();
  const std::size_t count = network.store().entries().size();
  if (arrays.size() < 2 * count) return;
  for (std::size_t i = 0; i < count; ++i) {
    values_.push_back(std::move(arrays[2 * i]));
    masks_.push_back(std::move(arrays[2 * i + 1]));
  }
  states_.assign(std::make_move_iterator(arrays.begin() + static_cast<std::ptrdiff_t>(2 * count)),
                 std::make_move_iterator(arrays.end()));
  taken_ = true;
}

}  // namespace squall
