// Parameters, gradients and states of a network in the persistent arena, in the order of the layers, and the forms a
// parameter can have:
//   plain   the tensor itself
//   masked  the tensor and one byte per weight, 0 where the weight is masked (and its value 0)
//   packed  several tasks in one tensor of the slice's shape, one owner byte per weight; layers see one slice per task:
//           the weights it owns, or those of its read mask where there is one. Only owners write
//   kept    the weights that masks keep, slice by slice and by rows, and nothing else: values, gradients and optimiser
//           state have their number. For fixed masks of layers whose plans take patterns
//   stored  values of a converted model, by rows; there is no gradient and no place in the flat vectors
// A learned mask (learned_mask.hpp) may lie over a plain or masked parameter: layers then see what it leaves of
// storage. Flat vectors hold masked and packed storage; layers see effective values (masked weights are 0).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "squall/core/graph.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/packed_weight.hpp"
#include "squall/core/pass_plan.hpp"

namespace squall {

class ParameterMask;

// Owner bytes: the task's index, or nobody.
inline constexpr std::uint8_t kFreeWeight = 255;
inline constexpr int kMaxTasks = 250;

enum class ParameterForm : std::uint8_t { Plain, Masked, Packed, Kept, Stored };

struct ParameterEntry {
  int node = -1, slot = -1;
  const ParameterInfo* info = nullptr;
  ParameterForm form = ParameterForm::Plain;
  Shape storage_shape;                  // of what the flat vector holds
  Index offset = 0;                     // in elements of the flat vectors; -1 for stored ones
  HostArray mask;                       // U8: masked: as the logical shape; packed: owners as the slice's shape
  HostArray read;                       // masked, packed: U8 of logical shape, what each task reads; empty: its own
  std::vector<PackedWeight> packed;     // stored: one per task slice
  std::vector<SparsePattern> patterns;  // kept: one per task slice
  ParameterForm spread_form = ParameterForm::Plain;  // kept: masked or packed, as which it was and `mask` is
  Index elements() const { return storage_shape.elements(); }
  int tasks() const { return info->task_axis ? static_cast<int>(info->shape[0]) : 1; }
  Shape slice_shape() const { return info->task_axis ? info->shape.from(1) : info->shape; }
  // Kept: where the entries of a slice (-1: of all) are in the storage.
  Index kept_begin(int task) const;
  Index kept_count(int task) const;
};

class ParameterStore {
 public:
  ParameterStore(const Graph& graph, Handler& handler);
  ParameterStore(const ParameterStore& other, Handler& handler);  // the same values and forms on another handler
  ~ParameterStore();

  const std::vector<ParameterEntry>& entries() const { return entries_; }
  const ParameterEntry& entry(int node, int slot) const;
  int place(int node, int slot) const;  // in entries()
  ParameterEntry* find(std::string_view layer, std::string_view parameter);

  // Flat vectors over all layers; every parameter starts at a multiple of 64 bytes, gaps are zero.
  Tensor flat_values() const { return values_; }
  Tensor flat_gradients() const { return gradients_; }
  Tensor storage(const ParameterEntry& e) const;
  Tensor storage_gradient(const ParameterEntry& e) const;
  Tensor state(int node, int slot) const;

  // What layers read and write: logical shape.
  ConstTensor effective(int node, int slot) const;
  Tensor effective_gradient(int node, int slot) const;
  // Of packed parameters: the slices, and what each of them owns taken over into storage.
  Tensor effective_values(const ParameterEntry& e) const;
  void take_effective(const ParameterEntry& e);
  // The same for their gradients after finish_gradients(): a slice without what others own, and all slices back.
  Tensor own_gradient(const ParameterEntry& e, int task);
  void take_own_gradients(const ParameterEntry& e);
  // Brings effective values up to date after storage has changed; cheap when nothing has.
  void refresh();
  void touch() {  // storage was written somehow
    stale_ = Stale::Written;
    ++version_;
  }
  void touch_updated() {  // storage was written by an update rule that honours write masks
    if (stale_ == Stale::Nothing) stale_ = Stale::Updated;
    ++version_;
  }
  // Whether an update rule may write this parameter while its gradient is being made: it is its own effective value.
  bool updates_in_place(const ParameterEntry& e) const;
  // Another number whenever effective values may have changed since; 0 where that is not known.
  std::uint64_t version(const ParameterEntry& e) const { return learned_mask(e) == nullptr ? version_ : 0; }
  // Turns the gradients layers wrote into gradients of storage: zero where masked, one owner's for packed weights.
  void finish_gradients(const PassPlan& plan);

  // The learned mask over a parameter, or null.
  ParameterMask* learned_mask(const ParameterEntry& e) const { return learned_[index_of(e)].get(); }
  ConstTensor scores_of(const ParameterEntry& e) const;  // of its mask; empty: it has none
  // Brings what learned masks show of running layers up to date. After refresh().
  void apply_learned_masks(const PassPlan& plan, std::uint64_t step, std::uint64_t seed);
  double mask_penalty(const PassPlan& plan) const;  // of all masks in the last pass, if it trains
  bool has_mask_penalty() const;

  // Logical values on the host (masked weights are 0), and the other way round.
  HostArray get(const ParameterEntry& e) const;
  void set(const ParameterEntry& e, const HostArray& logical);
  HostArray get_gradient(const ParameterEntry& e) const;

  // Masks of logical shape, 1 = kept. Masked values become 0 and stay 0.
  void set_mask(ParameterEntry& e, const HostArray& keep);
  void clear_mask(ParameterEntry& e);
  std::optional<HostArray> mask(const ParameterEntry& e) const;  // logical shape; nothing for plain ones
  // Merges the slices of parameters with a task axis whose masks are disjoint, or takes them apart again. Free
  // weights keep no value. Both change the flat layout.
  void pack(const std::vector<ParameterEntry*>& chosen);
  void unpack(const std::vector<ParameterEntry*>& chosen);
  void set_packed(ParameterEntry& e, const HostArray& storage, const HostArray& owners);
  // Lets tasks read weights of others: 1 in the slice of each task that reads a weight (logical shape); what a task
  // owns it must read. Unpacking gives each task values of its own. Empty: each reads its own again.
  void set_read_mask(ParameterEntry& e, const HostArray& read);
  void make_plain(ParameterEntry& e);  // any form; values are those of get()
  // Masked or packed parameters as kept ones and back. Both change the flat layout.
  void keep_only(const std::vector<ParameterEntry*>& chosen);
  void spread(const std::vector<ParameterEntry*>& chosen);
  void spread_all();
  // What files hold: the form (kept: the one it was spread as) and its storage on the host.
  ParameterForm spread_form(const ParameterEntry& e) const;
  HostArray spread_storage(const ParameterEntry& e) const;
  void set_stored(ParameterEntry& e, std::vector<PackedWeight> slices);

  // The pieces of the flat vectors that a pass trains. `write` is the mask of masked parameters; for packed ones it
  // holds 1 where the owner takes part. Valid until the next call with another plan.
  struct Trainable {
    Index offset = 0, elements = 0;
    const ParameterEntry* entry = nullptr;
    int task = -1;  // of one slice; -1: the whole tensor
    ConstTensor write;
  };
  std::vector<Trainable> trainable(const PassPlan& plan);

  std::uint64_t generation() const { return generation_; }  // changes when views become invalid
  std::size_t bytes() const { return arena_.bytes() + effective_.bytes(); }
  bool any_packed_or_masked() const;

 private:
  void lay_out();  // offsets and memory; contents are zero
  void make_learned_masks();
  void finish_learned_mask(const ParameterEntry& e, const NodePlan& plan);
  void rebuild(const std::vector<HostArray>& storage, const std::vector<HostArray>& states);
  std::vector<HostArray> save_storage() const;
  std::vector<HostArray> save_states() const;
  void place_masks();
  void change_masks();
  ConstTensor device_mask(const ParameterEntry& e) const;
  void select_slice(const ParameterEntry& e, int task);
  void add_pieces(const ParameterEntry& e, const NodePlan& plan, std::vector<Trainable>& out) const;
  std::size_t index_of(const ParameterEntry& e) const { return static_cast<std::size_t>(&e - entries_.data()); }
  Tensor view(const DeviceBlock& block, Index element_offset, const Shape& shape) const;

  const Graph& graph_;
  Handler& handler_;
  std::vector<ParameterEntry> entries_;
  std::vector<std::vector<int>> index_;  // node, slot -> entry
  std::vector<std::vector<Index>> state_offset_;
  DeviceBlock arena_, effective_, masks_, write_masks_;
  std::vector<Index> effective_offset_;  // per entry, -1: storage is effective
  std::vector<std::size_t> mask_offset_, read_offset_, write_offset_;
  Tensor values_, gradients_;
  Index flat_elements_ = 0;
  enum class Stale : std::uint8_t { Nothing, Updated, Written };
  Stale stale_ = Stale::Written;
  std::uint64_t version_ = 1;
  std::uint64_t generation_ = 1;
  std::vector<std::unique_ptr<ParameterMask>> learned_;  // per entry, null: none
  bool learned_stale_ = true;                            // values or scores have changed since they were applied
};

}  // namespace squall
