// Counts memory allocations of the program. Linking this in replaces the global operator new by one that counts.
#pragma once

#include <cstdint>

namespace squall::testing {

// Calls of operator new since the program began, of all threads.
std::uint64_t allocation_count();

}  // namespace squall::testing
