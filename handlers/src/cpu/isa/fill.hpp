// What each file of kernels puts into the table of the instruction set it is compiled for.
#pragma once

#include "cpu/kernels.hpp"

namespace squall::cpu::SQUALL_ISA {

#define SQUALL_DECLARE_FILL(part)    \
  void fill_##part(Kernels<float>&); \
  void fill_##part(Kernels<double>&)
SQUALL_DECLARE_FILL(elementwise);
SQUALL_DECLARE_FILL(rows);
SQUALL_DECLARE_FILL(columns);
SQUALL_DECLARE_FILL(norm);
SQUALL_DECLARE_FILL(curves);
SQUALL_DECLARE_FILL(optim);
SQUALL_DECLARE_FILL(random);
SQUALL_DECLARE_FILL(pool);
SQUALL_DECLARE_FILL(gemm);
SQUALL_DECLARE_FILL(sparse);
SQUALL_DECLARE_FILL(recurrent);
SQUALL_DECLARE_FILL(all);
#undef SQUALL_DECLARE_FILL

}  // namespace squall::cpu::SQUALL_ISA
