#include "squall/io/mask_coding.hpp"

#include <zlib.h>

#include <algorithm>

#include "masks/mask_bytes.hpp"

namespace squall {

namespace {

constexpr std::string_view kNames[] = {"gaps8", "csr16", "csr32", "bitmap", "blocks", "groups", "range"};

std::size_t deflated_size(const std::vector<std::uint8_t>& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::vector<std::uint8_t> packed(size);
  if (compress2(packed.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()), 6) != Z_OK) return bytes.size();
  return std::min<std::size_t>(size, bytes.size());
}

SparsePattern take_one(masks::Source& from, MaskCoding coding, Index rows, Index columns, Index kept) {
  switch (coding) {
    case MaskCoding::Gaps: return masks::take_gaps(from, rows, columns, kept);
    case MaskCoding::Csr16: return masks::take_csr(from, false, rows, columns, kept);
    case MaskCoding::Csr32: return masks::take_csr(from, true, rows, columns, kept);
    case MaskCoding::Bitmap: return masks::take_bitmap(from, rows, columns, kept);
    case MaskCoding::Blocks: return masks::take_blocks(from, rows, columns, kept);
    case MaskCoding::Groups: return masks::take_groups(from, rows, columns, kept);
    case MaskCoding::Range: break;  // all slices at once
  }
  from.fail("is in an unknown form");
}

}  // namespace

std::string_view name_of(MaskCoding coding) { return kNames[static_cast<std::size_t>(coding)]; }

std::optional<MaskCoding> mask_coding_of(std::string_view name) {
  for (const MaskCoding c : kMaskCodings)
    if (name_of(c) == name) return c;
  return std::nullopt;
}

bool can_code(Patterns slices, MaskCoding coding) {
  const auto each = [&](const auto& fits) { return std::ranges::all_of(slices, fits); };
  constexpr Index kNarrow = 65536;
  if (slices.empty()) return false;
  switch (coding) {
    case MaskCoding::Csr16: return slices[0]->columns <= kNarrow;
    case MaskCoding::Blocks:
      return each([](const SparsePattern* p) {
        const SparsePattern* one[] = {p};
        const auto size = masks::find_blocks(one);
        return size.height * size.width > 1 && p->columns / size.width <= kNarrow;
      });
    case MaskCoding::Groups: return each([](const SparsePattern* p) { return masks::has_groups(*p); });
    default: return true;
  }
}

std::vector<std::uint8_t> code_masks(Patterns slices, MaskCoding coding) {
  if (!can_code(slices, coding)) raise<DataError>("these masks have no form '", name_of(coding), "'");
  if (coding == MaskCoding::Range) return masks::code_range(slices);
  std::vector<std::uint8_t> out;
  for (const auto* p : slices) switch (coding) {
      case MaskCoding::Gaps: masks::append_gaps(*p, out); break;
      case MaskCoding::Csr16:
      case MaskCoding::Csr32: masks::append_csr(*p, coding == MaskCoding::Csr32, out); break;
      case MaskCoding::Bitmap: masks::append_bitmap(*p, out); break;
      case MaskCoding::Blocks: masks::append_blocks(*p, out); break;
      case MaskCoding::Groups: masks::append_groups(*p, out); break;
      case MaskCoding::Range: break;
    }
  return out;
}

std::vector<SparsePattern> decode_masks(std::span<const std::uint8_t> bytes, MaskCoding coding, Index rows,
                                        Index columns, std::span<const Index> kept, std::string_view who) {
  for (const Index k : kept)
    if (k < 0 || k > rows * columns) raise<DataError>(who, ": ", k, " kept weights do not fit ", rows, "x", columns);
  masks::Source from(bytes, who);
  std::vector<SparsePattern> out;
  if (coding == MaskCoding::Range) out = masks::decode_range(from, rows, columns, kept);
  if (coding != MaskCoding::Range)
    for (const Index k : kept) out.push_back(take_one(from, coding, rows, columns, k));
  if (!from.rest().empty()) from.fail("has ", from.rest().size(), " bytes too many");
  for (std::size_t t = 0; t < kept.size(); ++t)
    if (out[t].kept() != kept[t]) from.fail("keeps ", out[t].kept(), " weights, should keep ", kept[t]);
  return out;
}

CodedMasks coded_masks(Patterns slices, std::optional<MaskCoding> wanted) {
  CodedMasks best;
  bool any = false;
  for (const MaskCoding c : {MaskCoding::Range, MaskCoding::Bitmap, MaskCoding::Gaps}) {
    if (wanted && any) break;
    const MaskCoding coding = wanted && can_code(slices, *wanted) ? *wanted : c;
    CodedMasks one{coding, code_masks(slices, coding), 0};
    one.deflated = deflated_size(one.bytes);
    if (!any || one.deflated < best.deflated) best = std::move(one);
    any = true;
  }
  return best;
}

}  // namespace squall
