// The one place that knows threads. Work is cut into tiles whose borders depend on the problem alone, and every tile
// is computed by one thread, so results do not depend on how many threads there are.
#pragma once

#include <algorithm>
#include <memory>

#include "squall/core/shape.hpp"

namespace squall::cpu {

// Below these a parallel region costs more than it saves.
inline constexpr Index kWorthElements = 65536;
inline constexpr Index kWorthFlops = 500000;

constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }
constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }

// Part `index` of `count` nearly equal parts of 0 .. n, borders at multiples of `grain`.
struct Span {
  Index first = 0, count = 0;
};
constexpr Span part_of(Index n, Index count, Index index, Index grain = 1) {
  const Index grains = ceil_div(n, grain);
  const Index begin = std::min(n, grains * index / count * grain);
  const Index end = std::min(n, grains * (index + 1) / count * grain);
  return {begin, end - begin};
}

class Team;

class Parallel {
 public:
  // 0: as many as the process may use.
  explicit Parallel(int threads);
  int threads() const { return threads_; }

  // f(tile, worker) for every tile; worker is below threads(). f must not throw.
  template <class F>
  void run(Index tiles, bool worth_it, const F& f) const {
    if (!worth_it || tiles < 2 || threads_ == 1) {
      for (Index tile = 0; tile < tiles; ++tile) f(tile, 0);
      return;
    }
    run_threads(tiles, &f,
                [](const void* body, Index tile, int worker) { (*static_cast<const F*>(body))(tile, worker); });
  }

  // f(first, count) over pieces of 0 .. n; `cost` is that of one element against an addition.
  template <class F>
  void pieces(Index n, Index cost, const F& f) const {
    constexpr Index kPiece = 16384;
    run(ceil_div(n, kPiece), n * cost >= kWorthElements,
        [&](Index tile, int) { f(tile * kPiece, std::min(kPiece, n - tile * kPiece)); });
  }

 private:
  void run_threads(Index tiles, const void* body, void (*call)(const void*, Index, int)) const;
  int threads_;
  std::shared_ptr<Team> team_;  // of all copies; none for one thread
};

}  // namespace squall::cpu
