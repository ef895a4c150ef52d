// Interleaved measurement of two ways to do the same.
#pragma once

#include <functional>

#include "squall/tools/bench.hpp"

namespace squall::bench {

// Medians over the rounds; each round runs `ours` for a few milliseconds, then `peer` (which may be empty).
void measure(const BenchContext& context, const std::function<void()>& ours, const std::function<void()>& peer,
             BenchRow& row);

// The rows of one group, added to the suite.
void add_mlp_rows(std::vector<Benchmark>& rows);
void add_sparse_rows(std::vector<Benchmark>& rows);

}  // namespace squall::bench
