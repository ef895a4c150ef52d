#include "squall/core/parameter_store.hpp"

#include <algorithm>
#include <cstring>

#include "graph/memory_check.hpp"
#include "squall/core/parameter_mask.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index round_up(Index n, Index to) { return (n + to - 1) / to * to; }

}  // namespace

ParameterStore::ParameterStore(const Graph& graph, Handler& handler) : graph_(graph), handler_(handler) {
  index_.resize(at(graph.size()));
  state_offset_.resize(at(graph.size()));
  for (int n = 0; n < graph.size(); ++n) {
    const Node& node = graph.node(n);
    for (int k = 0; k < static_cast<int>(node.parameters.size()); ++k) {
      ParameterEntry e;
      e.node = n;
      e.slot = k;
      e.info = &node.parameters[at(k)];
      e.storage_shape = e.info->shape;
      index_[at(n)].push_back(static_cast<int>(entries_.size()));
      entries_.push_back(std::move(e));
    }
  }
  lay_out();
  make_learned_masks();
  for (const auto& e : entries_)
    if (e.info->scores_of >= 0) handler_.elementwise().fill(storage(e), e.info->initial.value_or(0));
  for (int n = 0; n < graph.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph.node(n).states.size()); ++k)
      handler_.elementwise().fill(state(n, k), graph.node(n).states[at(k)].initial);
}

ParameterStore::ParameterStore(const ParameterStore& other, Handler& handler)
    : graph_(other.graph_),
      handler_(handler),
      entries_(other.entries_),
      index_(other.index_),
      state_offset_(other.state_offset_) {
  rebuild(other.save_storage(), other.save_states());
  make_learned_masks();
  for (std::size_t i = 0; i < learned_.size(); ++i)
    if (learned_[i]) learned_[i]->take_settings(*other.learned_[i]);
}

ParameterStore::~ParameterStore() = default;

const ParameterEntry& ParameterStore::entry(int node, int slot) const {
  return entries_[at(index_[at(node)][at(slot)])];
}

int ParameterStore::place(int node, int slot) const { return index_[at(node)][at(slot)]; }

bool ParameterStore::updates_in_place(const ParameterEntry& e) const {
  return e.form == ParameterForm::Plain && !e.info->task_axis && effective_offset_[index_of(e)] < 0 &&
         learned_mask(e) == nullptr;
}

ParameterEntry* ParameterStore::find(std::string_view layer, std::string_view parameter) {
  const int n = graph_.find(layer);
  const int k = n < 0 ? -1 : graph_.node(n).find_parameter(parameter);
  return k < 0 ? nullptr : &entries_[at(index_[at(n)][at(k)])];
}

Tensor ParameterStore::view(const DeviceBlock& block, Index element_offset, const Shape& shape) const {
  return {block.data() + at(element_offset) * size_of(handler_.dtype()), handler_.dtype(), shape};
}

// Arena: values | gradients | states. Effective block: for packed parameters the slices and their gradients.
void ParameterStore::lay_out() {
  check_parameter_memory(entries_, graph_, handler_);
  const Index step = 64 / static_cast<Index>(size_of(handler_.dtype()));
  flat_elements_ = 0;
  Index effective = 0;
  effective_offset_.assign(entries_.size(), -1);
  for (auto& e : entries_) {
    e.offset = e.form == ParameterForm::Stored ? -1 : flat_elements_;
    if (e.form == ParameterForm::Stored) continue;
    flat_elements_ += round_up(e.elements(), step);
    if (e.form != ParameterForm::Packed) continue;
    effective_offset_[index_of(e)] = effective;
    effective += 2 * round_up(e.info->shape.elements(), step);
  }
  Index states = 2 * flat_elements_;
  for (int n = 0; n < graph_.size(); ++n) {
    state_offset_[at(n)].clear();
    for (const auto& s : graph_.node(n).states) {
      state_offset_[at(n)].push_back(states);
      states += round_up(s.shape.elements(), step);
    }
  }
  const auto bytes = [&](Index elements) { return at(elements) * size_of(handler_.dtype()); };
  arena_ = DeviceBlock();  // give back before taking
  effective_ = DeviceBlock();
  arena_ = DeviceBlock(handler_.memory(), bytes(states));
  effective_ = DeviceBlock(handler_.memory(), bytes(effective));
  if (states > 0) handler_.memory().zero(view(arena_, 0, Shape{states}));
  if (effective > 0) handler_.memory().zero(view(effective_, 0, Shape{effective}));
  values_ = view(arena_, 0, Shape{flat_elements_});
  gradients_ = view(arena_, flat_elements_, Shape{flat_elements_});
  place_masks();
  touch();
  ++generation_;
}

void ParameterStore::place_masks() {
  std::size_t bytes = 0;
  std::size_t write_bytes = 0;
  mask_offset_.assign(entries_.size(), 0);
  read_offset_.assign(entries_.size(), 0);
  write_offset_.assign(entries_.size(), 0);
  for (const auto& e : entries_) {
    mask_offset_[index_of(e)] = bytes;
    write_offset_[index_of(e)] = write_bytes;
    if (e.form == ParameterForm::Kept) continue;  // its mask stays on the host
    bytes += (e.mask.bytes() + 63) / 64 * 64;
    read_offset_[index_of(e)] = bytes;
    bytes += (e.read.bytes() + 63) / 64 * 64;
    if (e.form == ParameterForm::Packed) write_bytes += (e.mask.bytes() + 63) / 64 * 64;
  }
  masks_ = DeviceBlock(handler_.memory(), bytes);
  write_masks_ = DeviceBlock(handler_.memory(), write_bytes);
  const auto place = [&](const HostArray& bytes_of, std::size_t offset) {
    if (!bytes_of.empty())
      handler_.memory().upload(bytes_of.view(), Tensor(masks_.data() + offset, DType::U8, bytes_of.shape()));
  };
  for (const auto& e : entries_) {
    if (e.form == ParameterForm::Kept) continue;
    place(e.mask, mask_offset_[index_of(e)]);
    place(e.read, read_offset_[index_of(e)]);
  }
}

ConstTensor ParameterStore::device_mask(const ParameterEntry& e) const {
  if (e.mask.empty() || e.form == ParameterForm::Kept) return {};
  return {masks_.data() + mask_offset_[index_of(e)], DType::U8, e.mask.shape()};
}

Tensor ParameterStore::storage(const ParameterEntry& e) const {
  return e.offset < 0 ? Tensor() : view(arena_, e.offset, e.storage_shape);
}
Tensor ParameterStore::storage_gradient(const ParameterEntry& e) const {
  return e.offset < 0 ? Tensor() : view(arena_, flat_elements_ + e.offset, e.storage_shape);
}
Tensor ParameterStore::state(int node, int slot) const {
  return view(arena_, state_offset_[at(node)][at(slot)], graph_.node(node).states[at(slot)].shape);
}

ConstTensor ParameterStore::effective(int node, int slot) const {
  const ParameterEntry& e = entry(node, slot);
  if (const ParameterMask* mask = learned_mask(e)) return mask->effective();
  const Index offset = effective_offset_[index_of(e)];
  return offset < 0 ? storage(e) : view(effective_, offset, e.info->shape);
}

Tensor ParameterStore::effective_gradient(int node, int slot) const {
  const ParameterEntry& e = entry(node, slot);
  const Index offset = effective_offset_[index_of(e)];
  if (offset < 0) return storage_gradient(e);
  const Index step = 64 / static_cast<Index>(size_of(handler_.dtype()));
  return view(effective_, offset + round_up(e.info->shape.elements(), step), e.info->shape);
}

void ParameterStore::refresh() {
  if (stale_ == Stale::Nothing) return;
  learned_stale_ = true;
  auto& ops = handler_.elementwise();
  for (const auto& e : entries_) {
    if (e.form == ParameterForm::Masked && stale_ == Stale::Written) {
      const ConstTensor read(masks_.data() + read_offset_[index_of(e)], DType::U8, e.read.shape());
      ops.select_owner(storage(e), e.read.empty() ? device_mask(e) : read, 1, storage(e));
    }
    if (e.form != ParameterForm::Packed) continue;
    for (int t = 0; t < e.tasks(); ++t) select_slice(e, t);
  }
  stale_ = Stale::Nothing;
}

// What a task sees of a packed parameter.
void ParameterStore::select_slice(const ParameterEntry& e, int task) {
  const Tensor slice = effective_values(e).at(task);
  if (e.read.empty())
    return handler_.elementwise().select_owner(storage(e), device_mask(e), static_cast<std::uint8_t>(task), slice);
  const ConstTensor read(masks_.data() + read_offset_[index_of(e)], DType::U8, e.read.shape());
  handler_.elementwise().select_owner(storage(e), read.at(task), 1, slice);
}

Tensor ParameterStore::effective_values(const ParameterEntry& e) const {
  return view(effective_, effective_offset_[index_of(e)], e.info->shape);
}

void ParameterStore::take_effective(const ParameterEntry& e) {
  for (int t = 0; t < e.tasks(); ++t)
    handler_.elementwise().select_owner(effective_values(e).at(t), device_mask(e), static_cast<std::uint8_t>(t),
                                        Sink(storage(e), t == 0 ? Write::Overwrite : Write::Add));
}

void ParameterStore::finish_gradients(const PassPlan& plan) {
  auto& ops = handler_.elementwise();
  for (const auto& e : entries_) {
    const NodePlan& p = plan.nodes[at(e.node)];
    if (p.gradient[at(e.slot)] == NodePlan::Send::Nothing) continue;
    const Tensor gradient = storage_gradient(e);
    if (learned_mask(e) != nullptr) finish_learned_mask(e, p);
    if (e.form == ParameterForm::Masked) ops.select_owner(gradient, device_mask(e), 1, gradient);
    if (e.form == ParameterForm::Packed) take_own_gradients(e);
  }
}

Tensor ParameterStore::own_gradient(const ParameterEntry& e, int task) {
  const Tensor slice = effective_gradient(e.node, e.slot).at(task);
  handler_.elementwise().select_owner(slice, device_mask(e), static_cast<std::uint8_t>(task), slice);
  return slice;
}

void ParameterStore::take_own_gradients(const ParameterEntry& e) {
  const Tensor slices = effective_gradient(e.node, e.slot);
  for (int t = 0; t < e.tasks(); ++t)
    handler_.elementwise().select_owner(slices.at(t), device_mask(e), static_cast<std::uint8_t>(t),
                                        Sink(storage_gradient(e), t == 0 ? Write::Overwrite : Write::Add));
}

std::vector<HostArray> ParameterStore::save_storage() const {
  std::vector<HostArray> out;
  for (const auto& e : entries_) out.push_back(e.offset < 0 ? HostArray() : handler_.memory().to_host(storage(e)));
  return out;
}

std::vector<HostArray> ParameterStore::save_states() const {
  std::vector<HostArray> out;
  for (int n = 0; n < graph_.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph_.node(n).states.size()); ++k)
      out.push_back(handler_.memory().to_host(state(n, k)));
  return out;
}

void ParameterStore::rebuild(const std::vector<HostArray>& values, const std::vector<HostArray>& states) {
  lay_out();
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (entries_[i].offset >= 0) handler_.memory().upload(values[i].view(), storage(entries_[i]));
  std::size_t next = 0;
  for (int n = 0; n < graph_.size(); ++n)
    for (int k = 0; k < static_cast<int>(graph_.node(n).states.size()); ++k)
      handler_.memory().upload(states[next++].view(), state(n, k));
}

bool ParameterStore::any_packed_or_masked() const {
  return std::ranges::any_of(entries_, [](const auto& e) { return e.form != ParameterForm::Plain; });
}

void ParameterStore::add_pieces(const ParameterEntry& e, const NodePlan& plan, std::vector<Trainable>& out) const {
  if (e.form == ParameterForm::Kept) {
    for (int t = 0; t < e.tasks(); ++t)
      if (!e.info->task_axis || plan.has_delta[at(t)])
        out.push_back({e.offset + e.kept_begin(t), e.kept_count(t), &e, e.info->task_axis ? t : -1, {}});
    return;
  }
  const ConstTensor mask = e.form == ParameterForm::Masked ? device_mask(e) : ConstTensor();
  if (!e.info->task_axis) {
    out.push_back({e.offset, e.elements(), &e, -1, flatten(mask, 0)});
    return;
  }
  const Index slice = e.slice_shape().elements();
  for (int t = 0; t < e.tasks(); ++t)
    if (plan.has_delta[at(t)])
      out.push_back({e.offset + t * slice, slice, &e, t, mask ? flatten(mask.at(t), 0) : mask});
}

std::vector<ParameterStore::Trainable> ParameterStore::trainable(const PassPlan& plan) {
  std::vector<Trainable> out;
  for (const auto& e : entries_) {
    const NodePlan& p = plan.nodes[at(e.node)];
    if (p.gradient[at(e.slot)] == NodePlan::Send::Nothing || e.offset < 0 || !p.parameter_updated[at(e.slot)]) continue;
    if (e.form != ParameterForm::Packed) {
      add_pieces(e, p, out);
      continue;
    }
    HostArray write(DType::U8, Shape{e.elements()});
    for (Index i = 0; i < e.elements(); ++i) {
      const std::uint8_t owner = e.mask.span<std::uint8_t>()[at(i)];
      write.span<std::uint8_t>()[at(i)] = owner != kFreeWeight && plan.nodes[at(e.node)].has_delta[owner] ? 1 : 0;
    }
    const Tensor device(write_masks_.data() + write_offset_[index_of(e)], DType::U8, Shape{e.elements()});
    handler_.memory().upload(write.view(), device);
    out.push_back({e.offset, e.elements(), &e, -1, device});
  }
  return out;
}

}  // namespace squall
