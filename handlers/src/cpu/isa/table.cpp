// The whole table of one instruction set.
#include "cpu/isa/fill.hpp"

namespace squall::cpu::SQUALL_ISA {

template <class R>
static void fill_parts(Kernels<R>& k) {
  fill_elementwise(k);
  fill_rows(k);
  fill_columns(k);
  fill_norm(k);
  fill_curves(k);
  fill_optim(k);
  fill_random(k);
  fill_pool(k);
  fill_gemm(k);
  fill_sparse(k);
  fill_recurrent(k);
}

void fill_all(Kernels<float>& k) { fill_parts(k); }
void fill_all(Kernels<double>& k) { fill_parts(k); }

}  // namespace squall::cpu::SQUALL_ISA
