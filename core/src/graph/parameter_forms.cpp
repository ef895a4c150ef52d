// Changing the form of parameters, and their values on the host.
#include <algorithm>
#include <cstring>

#include "squall/core/learned_mask.hpp"
#include "squall/core/parameter_store.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

std::string name_of(const Graph& graph, const ParameterEntry& e) {
  return graph.node(e.node).name + "." + e.info->name;
}

void require_no_mask(const Graph& graph, const ParameterEntry& e) {
  if (e.info->mask)
    raise<ConfigError>("'", name_of(graph, e), "' lies under a learned mask (", e.info->mask->type(),
                       ") and cannot be stored in another form; apply the mask first");
}

// Copies every weight to the slices that read it.
template <class T>
void spread(std::span<const T> storage, std::span<const std::uint8_t> read, std::span<T> slices) {
  for (std::size_t i = 0; i < slices.size(); ++i)
    if (read[i] != 0) slices[i] = storage[i % storage.size()];
}
// Takes each weight from the slice of its owner.
template <class T>
void gather(std::span<const T> slices, std::span<const std::uint8_t> owners, std::span<T> storage) {
  for (std::size_t i = 0; i < storage.size(); ++i)
    storage[i] = owners[i] == kFreeWeight ? T{0} : slices[owners[i] * storage.size() + i];
}

// What each task owns of a packed parameter, of logical shape.
HostArray owned_mask(const ParameterEntry& e) {
  HostArray out(DType::U8, e.info->shape);
  const auto owners = e.mask.span<std::uint8_t>();
  for (std::size_t i = 0; i < owners.size(); ++i)
    if (owners[i] != kFreeWeight) out.span<std::uint8_t>()[owners[i] * owners.size() + i] = 1;
  return out;
}

// What each task reads, of logical shape.
HostArray read_mask(const ParameterEntry& e) { return e.read.empty() ? owned_mask(e) : e.read; }

HostArray unpacked(const ParameterEntry& e, const HostArray& storage) {
  HostArray out(storage.dtype(), e.info->shape);
  const HostArray read = read_mask(e);
  visit_dtype(storage.dtype(), [&](auto zero) {
    using T = decltype(zero);
    spread<T>(storage.span<T>(), read.span<std::uint8_t>(), out.span<T>());
  });
  return out;
}

HostArray packed(const ParameterEntry& e, const HostArray& logical) {
  HostArray out(logical.dtype(), e.slice_shape());
  visit_dtype(logical.dtype(), [&](auto zero) {
    using T = decltype(zero);
    gather<T>(logical.span<T>(), e.mask.span<std::uint8_t>(), out.span<T>());
  });
  return out;
}

// Of a masked parameter: what layers see, which is more than what may be written where tasks read weights of others.
const HostArray& seen(const ParameterEntry& e) { return e.read.empty() ? e.mask : e.read; }

HostArray masked(const HostArray& values, const HostArray& keep) {
  HostArray out = values;
  const auto bytes = out.bytes() / std::max<std::size_t>(1, at(out.elements()));
  for (Index i = 0; i < out.elements(); ++i)
    if (keep.span<std::uint8_t>()[at(i)] == 0) std::memset(static_cast<char*>(out.data()) + at(i) * bytes, 0, bytes);
  return out;
}

// Entries in the order of the patterns <-> an array of logical shape.
template <class F>
void each_entry(const ParameterEntry& e, const F& f) {
  std::size_t entry = 0;
  std::size_t slice = 0;
  for (const auto& p : e.patterns) {
    for (Index r = 0; r < p.rows; ++r)
      for (Index k = p.row_begin[at(r)]; k < p.row_begin[at(r + 1)]; ++k)
        f(entry++, slice + at(r * p.columns) + at(p.column[at(k)]));
    slice += at(p.rows * p.columns);
  }
}
HostArray spread_entries(const ParameterEntry& e, const HostArray& entries) {
  HostArray out(entries.dtype(), e.info->shape);
  visit_dtype(entries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    each_entry(e, [&](std::size_t i, std::size_t place) { out.span<T>()[place] = entries.span<T>()[i]; });
  });
  return out;
}
HostArray kept_entries(const ParameterEntry& e, const HostArray& logical) {
  HostArray out(logical.dtype(), e.storage_shape);
  visit_dtype(logical.dtype(), [&](auto zero) {
    using T = decltype(zero);
    each_entry(e, [&](std::size_t i, std::size_t place) { out.span<T>()[i] = logical.span<T>()[place]; });
  });
  return out;
}

HostArray from_stored(const ParameterEntry& e) {
  HostArray out(DType::F32, e.info->shape);
  std::size_t next = 0;
  for (const auto& slice : e.packed) {
    const auto dense = slice.to_dense();
    std::ranges::copy(dense, out.span<float>().begin() + static_cast<std::ptrdiff_t>(next));
    next += dense.size();
  }
  return out;
}

}  // namespace

Index ParameterEntry::kept_begin(int task) const {
  Index begin = 0;
  for (int t = 0; t < task; ++t) begin += patterns[at(t)].kept();
  return begin;
}
Index ParameterEntry::kept_count(int task) const {
  return task < 0 ? storage_shape.elements() : patterns[at(task)].kept();
}

HostArray ParameterStore::get(const ParameterEntry& e) const {
  if (e.form == ParameterForm::Stored) return from_stored(e).cast(handler_.dtype());
  const HostArray values = handler_.memory().to_host(storage(e));
  if (e.form == ParameterForm::Packed) return unpacked(e, values);
  if (e.form == ParameterForm::Kept) return spread_entries(e, values);
  return e.form == ParameterForm::Masked ? masked(values, seen(e)) : values;
}

HostArray ParameterStore::get_gradient(const ParameterEntry& e) const {
  if (e.form == ParameterForm::Stored) return HostArray(handler_.dtype(), e.info->shape);
  const HostArray values = handler_.memory().to_host(storage_gradient(e));
  if (e.form == ParameterForm::Kept) return spread_entries(e, values);
  return e.form == ParameterForm::Packed ? unpacked(e, values) : values;
}

void ParameterStore::set(const ParameterEntry& e, const HostArray& logical) {
  if (logical.shape() != e.info->shape)
    raise<ShapeError>("parameter '", name_of(graph_, e), "' is ", e.info->shape, ", but ", logical.shape(),
                      " was given");
  if (e.form == ParameterForm::Stored)
    raise<ConfigError>("parameter '", name_of(graph_, e), "' is stored for inference and cannot be written");
  HostArray values = logical.cast(handler_.dtype());
  if (e.form == ParameterForm::Packed) values = packed(e, values);
  if (e.form == ParameterForm::Masked) values = masked(values, seen(e));
  if (e.form == ParameterForm::Kept) values = kept_entries(e, values);
  handler_.memory().upload(values.view(), storage(e));
  touch();
}

void ParameterStore::set_mask(ParameterEntry& e, const HostArray& keep) {
  if (keep.dtype() != DType::U8 || keep.shape() != e.info->shape)
    raise<ShapeError>("the mask of '", name_of(graph_, e), "' should be ", e.info->shape, " of u8, but is ",
                      keep.shape(), " of ", squall::name_of(keep.dtype()));
  if (e.form != ParameterForm::Plain && e.form != ParameterForm::Masked)
    raise<ConfigError>("'", name_of(graph_, e), "' must be unpacked before it gets another mask");
  e.form = ParameterForm::Masked;
  e.mask = keep;
  e.read = HostArray();
  for (auto& byte : e.mask.span<std::uint8_t>()) byte = byte != 0 ? 1 : 0;
  change_masks();
  refresh();
}

void ParameterStore::clear_mask(ParameterEntry& e) {
  if (e.form != ParameterForm::Masked) return;
  e.form = ParameterForm::Plain;
  e.mask = e.read = HostArray();
  change_masks();
}

// The layout stays, what was computed with other masks does not.
void ParameterStore::change_masks() {
  place_masks();
  if (gradients_.elements() > 0) handler_.memory().zero(gradients_);
  touch();
  ++generation_;
}

std::optional<HostArray> ParameterStore::mask(const ParameterEntry& e) const {
  if (e.form == ParameterForm::Plain) return std::nullopt;
  const ParameterForm form = spread_form(e);
  if (form == ParameterForm::Masked) return seen(e);
  if (form == ParameterForm::Packed) return read_mask(e);
  HostArray out(DType::U8, e.info->shape);
  auto keep = out.span<std::uint8_t>();
  const auto slice = at(e.slice_shape().elements());
  for (std::size_t t = 0; t < e.packed.size(); ++t)
    for (Index r = 0; r < e.packed[t].rows; ++r)
      for (Index k = e.packed[t].row_begin[at(r)]; k < e.packed[t].row_begin[at(r + 1)]; ++k)
        keep[t * slice + at(r * e.packed[t].columns) + at(e.packed[t].column[at(k)])] = 1;
  return out;
}

void ParameterStore::pack(const std::vector<ParameterEntry*>& chosen) {
  for (const auto* e : chosen) require_no_mask(graph_, *e);
  auto values = save_storage();
  const auto states = save_states();
  std::vector<HostArray> owners;
  for (const ParameterEntry* e : chosen) {
    if (e->form != ParameterForm::Masked || !e->info->task_axis)
      raise<ConfigError>("'", name_of(graph_, *e), "' cannot be packed: it needs several tasks and a mask for each");
    HostArray owner(DType::U8, e->slice_shape());
    auto o = owner.span<std::uint8_t>();
    std::ranges::fill(o, kFreeWeight);
    const auto keep = e->mask.span<std::uint8_t>();
    for (std::size_t t = 0; t < at(e->tasks()); ++t)
      for (std::size_t i = 0; i < o.size(); ++i) {
        if (keep[t * o.size() + i] == 0) continue;
        if (o[i] != kFreeWeight)
          raise<ConfigError>("'", name_of(graph_, *e), "' cannot be packed: weight ", i, " belongs to tasks ",
                             int{o[i]}, " and ", t, "; masks must be disjoint");
        o[i] = static_cast<std::uint8_t>(t);
      }
    owners.push_back(std::move(owner));
  }
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    ParameterEntry& e = *chosen[c];
    e.form = ParameterForm::Packed;
    e.mask = owners[c];
    e.storage_shape = e.slice_shape();
    values[index_of(e)] = packed(e, values[index_of(e)]);
  }
  rebuild(values, states);
}

void ParameterStore::unpack(const std::vector<ParameterEntry*>& chosen) {
  auto values = save_storage();
  const auto states = save_states();
  for (ParameterEntry* e : chosen) {
    if (e->form != ParameterForm::Packed) continue;
    values[index_of(*e)] = unpacked(*e, values[index_of(*e)]);
    e->mask = owned_mask(*e);
    e->form = ParameterForm::Masked;
    e->storage_shape = e->info->shape;
  }
  rebuild(values, states);
}

void ParameterStore::make_plain(ParameterEntry& e) {
  if (e.form == ParameterForm::Plain) return;
  auto values = save_storage();
  const auto states = save_states();
  values[index_of(e)] = get(e);
  e.form = ParameterForm::Plain;
  e.mask = e.read = HostArray();
  e.packed.clear();
  e.patterns.clear();
  e.storage_shape = e.info->shape;
  rebuild(values, states);
}

void ParameterStore::keep_only(const std::vector<ParameterEntry*>& chosen) {
  for (const auto* e : chosen) require_no_mask(graph_, *e);
  auto values = save_storage();
  const auto states = save_states();
  for (ParameterEntry* e : chosen) {
    if (e->form != ParameterForm::Masked && e->form != ParameterForm::Packed)
      raise<ConfigError>("'", name_of(graph_, *e), "' has no mask, so all its weights are kept as they are");
    if (!e->read.empty())
      raise<ConfigError>("'", name_of(graph_, *e), "' has weights that tasks read and others write");
    const HostArray logical = get(*e);
    const bool owned = e->form == ParameterForm::Packed;
    const Shape slice = e->slice_shape();
    const Index rows = slice.rank() > 0 ? slice[0] : 1;
    const auto bytes = e->mask.span<std::uint8_t>();
    const std::size_t step = owned ? 0 : at(slice.elements());
    Index kept = 0;
    for (std::size_t t = 0; t < at(e->tasks()); ++t) {
      e->patterns.push_back(SparsePattern::of_owner(bytes.subspan(t * step, at(slice.elements())),
                                                    owned ? static_cast<std::uint8_t>(t) : std::uint8_t{1}, rows,
                                                    rows > 0 ? slice.elements() / rows : 0));
      kept += e->patterns.back().kept();
    }
    e->spread_form = e->form;
    e->form = ParameterForm::Kept;
    e->storage_shape = Shape{kept};
    values[index_of(*e)] = kept_entries(*e, logical);
  }
  rebuild(values, states);
}

void ParameterStore::spread(const std::vector<ParameterEntry*>& chosen) {
  if (std::ranges::none_of(chosen, [](const auto* e) { return e->form == ParameterForm::Kept; })) return;
  auto values = save_storage();
  const auto states = save_states();
  for (ParameterEntry* e : chosen) {
    if (e->form != ParameterForm::Kept) continue;
    values[index_of(*e)] = spread_storage(*e);
    e->form = e->spread_form;
    e->storage_shape = values[index_of(*e)].shape();
    e->patterns.clear();
  }
  rebuild(values, states);
}

void ParameterStore::spread_all() {
  std::vector<ParameterEntry*> kept;
  for (auto& e : entries_)
    if (e.form == ParameterForm::Kept) kept.push_back(&e);
  if (!kept.empty()) spread(kept);
}

ParameterForm ParameterStore::spread_form(const ParameterEntry& e) const {
  return e.form == ParameterForm::Kept ? e.spread_form : e.form;
}

HostArray ParameterStore::spread_storage(const ParameterEntry& e) const {
  if (e.form != ParameterForm::Kept) return e.offset < 0 ? HostArray() : handler_.memory().to_host(storage(e));
  const HostArray logical = get(e);
  return e.spread_form == ParameterForm::Packed ? packed(e, logical) : logical;
}

void ParameterStore::set_packed(ParameterEntry& e, const HostArray& storage, const HostArray& owners) {
  require_no_mask(graph_, e);
  const std::string name = name_of(graph_, e);
  if (!e.info->task_axis) raise<ConfigError>("'", name, "' has no tasks and cannot hold owners");
  if (storage.shape() != e.slice_shape() || owners.shape() != e.slice_shape() || owners.dtype() != DType::U8)
    raise<ShapeError>("'", name, "' should be packed as ", e.slice_shape(), ", but values are ", storage.shape(),
                      " and owners ", owners.shape());
  for (const std::uint8_t o : owners.span<std::uint8_t>())
    if (o != kFreeWeight && o >= e.tasks())
      raise<DataError>("'", name, "' has an owner byte ", int{o}, ", but there are ", e.tasks(), " tasks");
  auto values = save_storage();
  const auto states = save_states();
  e.form = ParameterForm::Packed;
  e.patterns.clear();
  e.mask = owners;
  e.read = HostArray();
  e.storage_shape = e.slice_shape();
  values[index_of(e)] = packed(e, unpacked(e, storage.cast(handler_.dtype())));  // free weights become 0
  rebuild(values, states);
}

// Of a packed parameter live: a task sees what the owner's weight is. Of a masked one each slice has values of its own.
void ParameterStore::set_read_mask(ParameterEntry& e, const HostArray& read) {
  const std::string name = name_of(graph_, e);
  if (e.form != ParameterForm::Packed && (e.form != ParameterForm::Masked || !e.info->task_axis))
    raise<ConfigError>("'", name, "' has no owners; give its tasks masks before they read weights of others");
  if (!read.empty() && (read.dtype() != DType::U8 || read.shape() != e.info->shape))
    raise<ShapeError>("the read mask of '", name, "' should be ", e.info->shape, " of u8, but is ", read.shape(),
                      " of ", squall::name_of(read.dtype()));
  const HostArray owned = e.form == ParameterForm::Packed ? owned_mask(e) : e.mask;
  const auto slice = at(e.slice_shape().elements());
  for (std::size_t i = 0; i < at(read.elements()); ++i)
    if (owned.span<std::uint8_t>()[i] != 0 && read.span<std::uint8_t>()[i] == 0)
      raise<DataError>("the read mask of '", name, "' takes weight ", i % slice, " from task ", i / slice,
                       ", which owns it");
  e.read = read;
  if (!read.empty())
    for (auto& byte : e.read.span<std::uint8_t>()) byte = byte != 0 ? 1 : 0;
  change_masks();
  refresh();
}

void ParameterStore::set_stored(ParameterEntry& e, std::vector<PackedWeight> slices) {
  require_no_mask(graph_, e);
  const std::string name = name_of(graph_, e);
  const Shape shape = e.slice_shape();
  const Index rows = shape.rank() > 0 ? shape[0] : 1;
  if (static_cast<int>(slices.size()) != e.tasks())
    raise<ShapeError>("'", name, "' has ", e.tasks(), " tasks, but ", slices.size(), " packed weights were given");
  for (const auto& s : slices) {
    s.check();
    if (s.rows != rows || s.rows * s.columns != shape.elements())
      raise<ShapeError>("'", name, "' is ", shape, ", but its packed weight is ", s.rows, "x", s.columns);
  }
  const auto values = save_storage();
  const auto states = save_states();
  e.form = ParameterForm::Stored;
  e.patterns.clear();
  e.packed = std::move(slices);
  e.mask = e.read = HostArray();
  rebuild(values, states);
}

}  // namespace squall
