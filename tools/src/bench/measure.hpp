// The rows of each group, added to the suite.
#pragma once

#include "squall/tools/bench.hpp"

namespace squall::bench {

void add_mlp_rows(std::vector<Benchmark>& rows);
void add_image_rows(std::vector<Benchmark>& rows);
void add_recurrent_rows(std::vector<Benchmark>& rows);
void add_sparse_rows(std::vector<Benchmark>& rows);
void add_sparse_conv_rows(std::vector<Benchmark>& rows);
void add_sparse_mlp_rows(std::vector<Benchmark>& rows);
void add_process_rows(std::vector<Benchmark>& rows);

}  // namespace squall::bench
