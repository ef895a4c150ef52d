// Packed weights of all tasks of a parameter in a file: kept values by rows, task after task (once, where tasks keep
// the same values), and their masks in the smallest coding.
#pragma once

#include "narrow_values.hpp"
#include "squall/io/model_file.hpp"

namespace squall {

void write_stored(H5Writer& file, const ParameterPaths& at, const ParameterEntry& e, const SaveOptions& options);
std::vector<PackedWeight> read_stored(const H5Reader& file, const ParameterPaths& at, const ParameterEntry& e);

}  // namespace squall
