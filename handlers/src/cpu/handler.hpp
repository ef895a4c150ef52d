// The handler of the processor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "squall/core/handler.hpp"

namespace squall::cpu {

// `dtype`: F32 or F64; `threads`: 0 for as many as the process may use.
std::shared_ptr<Handler> make_cpu_handler(std::string name, DType dtype, int threads, bool debug);

// Instruction set, threads, matrix products, OpenBLAS: one line each.
std::vector<std::string> cpu_report();

}  // namespace squall::cpu
