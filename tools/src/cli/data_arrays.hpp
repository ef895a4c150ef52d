// squall data split and squall data shuffle.
#pragma once

#include "cli/context.hpp"

namespace squall::cli {

void add_data_arrays(CLI::App& data, Context& context);

}  // namespace squall::cli
