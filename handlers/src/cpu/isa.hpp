// The instruction sets kernels are compiled for, and the choice among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cpu/kernels.hpp"

namespace squall::cpu {

enum class Isa : std::uint8_t { Portable, Avx2, Avx512 };

std::string_view name_of(Isa isa);
// Those compiled in that this processor has, the best last.
std::vector<Isa> usable_isas();
// The best one, or the one the environment variable SQUALL_ISA asks for; DeviceError when it asks for another.
Isa choose_isa();

template <class R>
Kernels<R> kernels_of(Isa isa);

}  // namespace squall::cpu
