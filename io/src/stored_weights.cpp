#include "stored_weights.hpp"

#include <algorithm>
#include <bit>

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

HostArray indices(const std::vector<Index>& values) {
  HostArray out(DType::I32, Shape{static_cast<Index>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) out.set_value(static_cast<Index>(i), static_cast<double>(values[i]));
  return out;
}

std::vector<Index> read_indices(const H5Reader& file, const std::string& path, std::string_view name) {
  const HostArray a = file.attribute_array(path, name, DType::I32);
  std::vector<Index> out;
  for (Index i = 0; i < a.elements(); ++i) out.push_back(static_cast<Index>(a.value(i)));
  return out;
}

// The order of values in the file: every entry of the slices gets a place. Apart: task after task. Together: position
// after position, one place for all tasks that keep it.
struct Places {
  std::vector<std::vector<std::size_t>> of;  // slice, entry
  std::vector<Index> scale;                  // of each place: task * rows + row, the first task's that keeps it

  static Places apart(Patterns slices) {
    Places p;
    for (std::size_t t = 0; t < slices.size(); ++t) {
      p.of.emplace_back();
      for (Index r = 0; r < slices[t]->rows; ++r)
        for (Index k = slices[t]->row_begin[at(r)]; k < slices[t]->row_begin[at(r) + 1]; ++k) {
          p.of[t].push_back(p.scale.size());
          p.scale.push_back(static_cast<Index>(t) * slices[t]->rows + r);
        }
    }
    return p;
  }
  static Places together(Patterns slices) {
    Places p;
    p.of.resize(slices.size());
    std::vector<int> first(at(slices[0]->columns));
    std::vector<std::size_t> place(first.size());
    for (Index r = 0; r < slices[0]->rows; ++r) {
      std::ranges::fill(first, -1);
      const auto each = [&](const auto& act) {
        for (std::size_t t = 0; t < slices.size(); ++t)
          for (Index k = slices[t]->row_begin[at(r)]; k < slices[t]->row_begin[at(r) + 1]; ++k)
            act(t, at(slices[t]->column[at(k)]));
      };
      each([&](std::size_t t, std::size_t c) { first[c] = first[c] < 0 ? static_cast<int>(t) : first[c]; });
      for (std::size_t c = 0; c < first.size(); ++c) {
        if (first[c] < 0) continue;
        place[c] = p.scale.size();
        p.scale.push_back(first[c] * slices[0]->rows + r);
      }
      each([&](std::size_t t, std::size_t c) { p.of[t].push_back(place[c]); });
    }
    return p;
  }
};

// Values in their places, or nothing where two tasks keep different ones in one place.
std::optional<std::vector<float>> placed(const std::vector<PackedWeight>& slices, const Places& places) {
  std::vector<float> out(places.scale.size());
  std::vector<char> there(out.size(), 0);
  for (std::size_t t = 0; t < slices.size(); ++t)
    for (std::size_t k = 0; k < slices[t].value.size(); ++k) {
      const std::size_t place = places.of[t][k];
      const bool differs = std::bit_cast<std::uint32_t>(out[place]) != std::bit_cast<std::uint32_t>(slices[t].value[k]);
      if (there[place] != 0 && differs) return std::nullopt;
      out[place] = slices[t].value[k];
      there[place] = 1;
    }
  return out;
}

Scales scales_of(const ParameterEntry& e, const Places& places) {
  const Index rows = e.slice_shape()[0];
  return {e.info->task_axis ? Shape{e.info->shape[0], rows} : Shape{rows},
          [scale = places.scale](Index i) { return scale[at(i)]; }};
}

}  // namespace

void write_stored(H5Writer& file, const ParameterPaths& where, const ParameterEntry& e, const SaveOptions& options) {
  std::vector<const SparsePattern*> patterns;
  std::vector<Index> kept, formats;
  Index all = 0;
  for (const auto& slice : e.packed) {
    patterns.push_back(&slice);
    kept.push_back(slice.kept());
    formats.push_back(static_cast<Index>(slice.format));
    all += slice.kept();
  }
  Places places = Places::together(patterns);
  bool shared = static_cast<Index>(places.scale.size()) < all;
  auto values = shared ? placed(e.packed, places) : std::nullopt;
  if (!values) {
    shared = false;
    places = Places::apart(patterns);
    values = placed(e.packed, places);
  }
  write_values(file, where, HostArray::of(Shape{static_cast<Index>(values->size())}, *values),
               takes_int8(e) ? scales_of(e, places) : Scales{}, options.packing, options.quantization);
  const auto extents = e.info->shape.extents();
  file.attribute(where.values, "form", "stored");
  file.attribute(where.values, "shape", indices({extents.begin(), extents.end()}));
  file.attribute(where.values, "kept", indices(kept));
  file.attribute(where.values, "format", indices(formats));
  if (shared) file.attribute(where.values, "shared", 1);
  const CodedMasks masks = coded_masks(patterns, options.masks);
  const int packing = masks.deflated < masks.bytes.size() ? std::max(options.packing, 6) : 0;
  file.write(where.mask, HostArray::of(Shape{static_cast<Index>(masks.bytes.size())}, masks.bytes), {packing});
  file.attribute(where.mask, "encoding", name_of(masks.coding));
}

std::vector<PackedWeight> read_stored(const H5Reader& file, const ParameterPaths& where, const ParameterEntry& e) {
  const std::string who = file.name() + ": " + where.values;
  const auto shape = read_indices(file, where.values, "shape");
  const auto kept = read_indices(file, where.values, "kept");
  const auto formats = read_indices(file, where.values, "format");
  if (Shape(shape) != e.info->shape)
    raise<FileError>(who, " is ", Shape(shape), ", but the network has ", e.info->shape);
  if (kept.size() != at(e.tasks()) || formats.size() != kept.size())
    raise<FileError>(who, " holds ", kept.size(), " tasks, but the network has ", e.tasks());
  const std::string encoding = file.attribute_text(where.mask, "encoding");
  const auto coding = mask_coding_of(encoding);
  if (!coding) raise<FileError>(file.name(), ": ", where.mask, " has an unknown encoding '", encoding, "'");
  const Shape slice = e.slice_shape();
  const Index rows = slice.rank() > 0 ? slice[0] : 1;
  const HostArray bytes = file.read(where.mask, DType::U8);
  const auto patterns =
      decode_masks(bytes.span<std::uint8_t>(), *coding, rows, slice.elements() / std::max<Index>(rows, 1), kept, who);
  std::vector<const SparsePattern*> pointers;
  for (const auto& p : patterns) pointers.push_back(&p);
  const bool shared = file.has_attribute(where.values, "shared") && file.attribute_int(where.values, "shared") != 0;
  const Places places = shared ? Places::together(pointers) : Places::apart(pointers);
  if (file.shape(where.values) != Shape{static_cast<Index>(places.scale.size())})
    raise<FileError>(who, " holds ", file.shape(where.values), " values, but the masks keep ", places.scale.size());
  const HostArray values = read_values(file, where, [&] { return scales_of(e, places); }).cast(DType::F32);
  std::vector<PackedWeight> out(patterns.size());
  for (std::size_t t = 0; t < out.size(); ++t) {
    static_cast<SparsePattern&>(out[t]) = patterns[t];
    for (const std::size_t place : places.of[t]) out[t].value.push_back(values.span<float>()[place]);
    if (formats[t] < 0 || formats[t] > static_cast<Index>(WeightFormat::Sparse))
      raise<FileError>(who, " has an unknown weight format ", formats[t]);
    out[t].format = static_cast<WeightFormat>(formats[t]);
  }
  return out;
}

}  // namespace squall
