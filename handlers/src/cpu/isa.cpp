#include "cpu/isa.hpp"

#include <algorithm>
#include <cstdlib>

#include "squall/core/error.hpp"
#include "squall/core/nearest.hpp"

namespace squall::cpu {

namespace portable {
void fill_all(Kernels<float>&);
void fill_all(Kernels<double>&);
}  // namespace portable
#ifdef SQUALL_WITH_X86
namespace avx2 {
void fill_all(Kernels<float>&);
void fill_all(Kernels<double>&);
}  // namespace avx2
namespace avx512 {
void fill_all(Kernels<float>&);
void fill_all(Kernels<double>&);
}  // namespace avx512
#endif

std::string_view name_of(Isa isa) { return isa == Isa::Avx512 ? "avx512" : isa == Isa::Avx2 ? "avx2" : "portable"; }

std::vector<Isa> usable_isas() {
  std::vector<Isa> found{Isa::Portable};
#ifdef SQUALL_WITH_X86
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl");
  if (avx2) found.push_back(Isa::Avx2);
  if (avx2 && avx512) found.push_back(Isa::Avx512);
#endif
  return found;
}

Isa choose_isa() {
  const std::vector<Isa> usable = usable_isas();
  const char* wanted = std::getenv("SQUALL_ISA");
  if (wanted == nullptr || *wanted == '\0') return usable.back();
  std::vector<std::string> names;
  for (Isa isa : usable) {
    if (name_of(isa) == wanted) return isa;
    names.emplace_back(name_of(isa));
  }
  const std::vector<std::string> known{"portable", "avx2", "avx512"};
  if (std::ranges::find(known, wanted) != known.end())
    raise<DeviceError>("SQUALL_ISA=", wanted, ": this processor or build does not have it; usable are: ", join(names));
  raise<DeviceError>("SQUALL_ISA=", wanted, " is not an instruction set", did_you_mean(wanted, known),
                     "; usable are: ", join(names));
}

template <class R>
Kernels<R> kernels_of(Isa isa) {
  Kernels<R> k{};
  switch (isa) {
#ifdef SQUALL_WITH_X86
    case Isa::Avx512: avx512::fill_all(k); break;
    case Isa::Avx2: avx2::fill_all(k); break;
#endif
    default: portable::fill_all(k); break;
  }
  return k;
}
template Kernels<float> kernels_of<float>(Isa);
template Kernels<double> kernels_of<double>(Isa);

}  // namespace squall::cpu
