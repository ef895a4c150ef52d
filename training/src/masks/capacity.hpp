// Whether what tasks want fits into what is free.
#pragma once

#include <vector>

#include "masks/shares.hpp"
#include "masks/targets.hpp"
#include "squall/training/rsn2.hpp"

namespace squall::masks {

// 1 where a slice of the tensor owns the weight already.
std::vector<std::uint8_t> owned(const ParameterEntry& e);

// Over what the share of a target is counted: rows of so many columns.
struct Rows {
  Index rows = 1, columns = 0;
};
Rows rows_of(const Target& t, Quota quota);

// The shares of the slices of its tensor; without exclusivity that of the target alone.
Shares shares_of(const Network& network, const Target& t, const Rsn2Options& options);

// Throws ConfigError naming the parameter and the numbers when the targets of one tensor want more weights than are
// free. Not for Quota::Global, where it shows while choosing.
void check_capacity(const Network& network, std::span<const Target> targets, const Rsn2Options& options);

}  // namespace squall::masks
