// Where weights are kept, as bytes from which the patterns come back exactly. Two kinds:
//   forms to compute from   csr16, csr32 (row starts and columns), bitmap (a bit per weight), blocks (csr of blocks
//   that
//                           are kept or masked as a whole), groups (N:M: one of the few patterns a group of 4 or 8 has)
//   forms to store          gaps8 (a byte per kept weight: the gap to the one before), range (adaptive arithmetic
//   coding
//                           of all tasks together, near the entropy of the masks)
// Several slices are tasks of one tensor; all have the same extents. docs/file_formats.md has the layouts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "squall/core/sparse_pattern.hpp"

namespace squall {

enum class MaskCoding : std::uint8_t { Gaps, Csr16, Csr32, Bitmap, Blocks, Groups, Range };
inline constexpr MaskCoding kMaskCodings[] = {MaskCoding::Gaps,   MaskCoding::Csr16,  MaskCoding::Csr32,
                                              MaskCoding::Bitmap, MaskCoding::Blocks, MaskCoding::Groups,
                                              MaskCoding::Range};
std::string_view name_of(MaskCoding coding);  // "gaps8", "csr16", ...
std::optional<MaskCoding> mask_coding_of(std::string_view name);

using Patterns = std::span<const SparsePattern* const>;

// Not every pattern has every form: csr16 needs at most 65536 columns, blocks and groups such patterns.
bool can_code(Patterns slices, MaskCoding coding);
// Throws DataError where it cannot.
std::vector<std::uint8_t> code_masks(Patterns slices, MaskCoding coding);
// `kept`: of each slice. Throws DataError beginning with `who` when the bytes are not such masks; never reads beyond.
std::vector<SparsePattern> decode_masks(std::span<const std::uint8_t> bytes, MaskCoding coding, Index rows,
                                        Index columns, std::span<const Index> kept, std::string_view who);

// What a file holds: the smallest after deflating, or the wanted one.
struct CodedMasks {
  MaskCoding coding = MaskCoding::Range;
  std::vector<std::uint8_t> bytes;
  std::size_t deflated = 0;  // size after deflating, what decides
};
CodedMasks coded_masks(Patterns slices, std::optional<MaskCoding> wanted = std::nullopt);

}  // namespace squall
