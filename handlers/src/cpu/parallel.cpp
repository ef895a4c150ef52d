#include "cpu/parallel.hpp"

#include <omp.h>

namespace squall::cpu {

Parallel::Parallel(int threads) : threads_(threads > 0 ? threads : std::max(1, omp_get_num_procs())) {}

void Parallel::run_threads(Index tiles, const void* body, void (*call)(const void*, Index, int)) const {
#pragma omp parallel for num_threads(threads_) schedule(dynamic, 1)
  for (Index tile = 0; tile < tiles; ++tile) call(body, tile, omp_get_thread_num());
}

}  // namespace squall::cpu
