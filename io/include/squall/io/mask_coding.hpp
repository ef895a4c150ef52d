// Positions of kept weights as bytes: the gap to the previous kept one, 255 meaning "255 masked ones, go on". Small
// alphabets like this one are what deflate packs well: at 90 % sparsity about 0.6 byte per kept weight remains.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "squall/core/packed_weight.hpp"

namespace squall {

// Appends the gaps of one slice.
void append_gaps(const PackedWeight& w, std::vector<std::uint8_t>& gaps);

// Reads one slice of rows x columns with `kept` weights from the front of `gaps`, and drops what was read. Values are
// the first `kept` of `values`, which are dropped, too. Throws DataError naming `who` when they do not fit.
PackedWeight take_slice(Index rows, Index columns, Index kept, std::span<const std::uint8_t>& gaps,
                        std::span<const float>& values, std::string_view who);

}  // namespace squall
