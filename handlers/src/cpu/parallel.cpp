#include "cpu/parallel.hpp"

#include <omp.h>

#include "cpu/team.hpp"

namespace squall::cpu {

Parallel::Parallel(int threads)
    : threads_(threads > 0 ? threads : std::max(1, omp_get_num_procs())),
      team_(threads_ > 1 ? std::make_shared<Team>(threads_) : nullptr) {}

void Parallel::run_threads(Index tiles, const void* body, void (*call)(const void*, Index, int)) const {
  team_->run(tiles, body, call);
}

}  // namespace squall::cpu
