// Whether what tasks want fits into what is free.
#pragma once

#include <vector>

#include "masks/rules.hpp"
#include "masks/shares.hpp"

namespace squall::masks {

// 1 where a slice of the tensor owns the weight already, other than those that are choosing now.
std::vector<std::uint8_t> owned(const ParameterEntry& e, std::span<const Target> choosing);

// Over what the share of a target is counted: rows of so many columns.
struct Rows {
  Index rows = 1, columns = 0;
};
Rows rows_of(const Target& t, Quota quota);
// Whether the share of a target is counted together with others; biases always have their own.
inline bool joins_others(const Target& t, Quota quota) {
  return !t.bias && (quota == Quota::Layer || quota == Quota::Global);
}

// The shares of the slices of its tensor; without exclusivity that of the target alone.
Shares shares_of(const Network& network, const Target& t, const Rules& rules);

// Throws ConfigError naming the parameter and the numbers when the targets of one tensor want more weights than are
// free. Not for quotas over several tensors, where it shows while choosing.
void check_capacity(const Network& network, std::span<const Target> targets, const Rules& rules);

}  // namespace squall::masks
