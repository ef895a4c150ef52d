// Threads that work together on one job at a time. They look for the next job for some microseconds and sleep after
// that, so that short jobs follow each other without a system call and a busy machine loses nothing to waiting.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "squall/core/shape.hpp"

namespace squall::cpu {

class Team {
 public:
  // Calls of one job: call(body, tile, worker) for tiles 0 .. tiles-1, each once; worker 0 is the caller.
  using Call = void (*)(const void* body, Index tile, int worker);

  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Returns when every tile is done. Only one thread may use a team at a time.
  void run(Index tiles, const void* body, Call call);

 private:
  void dismiss();
  void work(int worker);
  void take_tiles(int worker);

  const void* body_ = nullptr;
  Call call_ = nullptr;
  Index tiles_ = 0;
  alignas(64) std::atomic<Index> next_{0};
  alignas(64) std::atomic<std::uint32_t> job_{0};   // counts jobs; a new value starts one
  alignas(64) std::atomic<std::uint32_t> busy_{0};  // workers that have not finished it
  bool leave_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace squall::cpu
