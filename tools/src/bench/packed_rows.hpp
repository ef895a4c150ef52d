// Rows for a converted model: each packed layer, each task and the whole network against their dense forms.
#pragma once

#include <filesystem>

#include "squall/tools/bench.hpp"

namespace squall::bench {

struct PackedRow : BenchRow {
  std::string what;  // "LAYER.TASK", "task NAME" or "network"
  std::string form;  // density and how it is computed
  Index batch = 0;
};

// Every row's peer is "squall dense"; `checked` says that outputs agreed within 1e-4 of the largest.
std::vector<PackedRow> packed_rows(const BenchContext& context, const std::filesystem::path& model,
                                   const std::vector<Index>& batches);
// A table for people: how many times faster than dense, and microseconds, by batch size.
std::string packed_table(const std::vector<PackedRow>& rows);

}  // namespace squall::bench
