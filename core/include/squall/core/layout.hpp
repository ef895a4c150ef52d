// Placement of buffers with lifetimes in one arena. Pure data: no handler, no memory.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "squall/core/describe.hpp"

namespace squall {

// A buffer alive during the steps first..last (both included) of a pass.
struct Interval {
  std::string path;
  std::size_t bytes = 0;
  int first = 0, last = 0;
  std::size_t offset = 0;  // result of place()
};

enum class MemoryMode : std::uint8_t { Compact, Inspectable };

struct Layout {
  std::vector<Interval> buffers;
  std::size_t arena_bytes = 0;
  std::size_t lower_bound_bytes = 0;  // largest sum of bytes alive at one step
  json report() const;
};

// Compact: biggest first, at the lowest offset free during the buffer's whole life; buffers alive together never
// overlap. Inspectable: one after another. Offsets are multiples of `alignment`; `margin` bytes follow every buffer.
Layout place(std::vector<Interval> buffers, MemoryMode mode, std::size_t alignment = 64, std::size_t margin = 0);

}  // namespace squall
