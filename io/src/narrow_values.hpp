// Values of parameters in files as they are, or in fewer bits: fp16 and bf16 as numbers of two bytes, int8 with a scale
// for each row of each task. A value that fits (it was rounded before) comes back exactly.
#pragma once

#include <functional>
#include <string>

#include "squall/core/parameter_store.hpp"
#include "squall/io/h5_file.hpp"

namespace squall {

// Where a parameter is in the file.
struct ParameterPaths {
  std::string values, mask, scales, reads;
  ParameterPaths(std::string_view layer, std::string_view name)
      : values(h5_path({"parameters", layer, name})),
        mask(h5_path({"masks", layer, name})),
        scales(h5_path({"scales", layer, name})),
        reads(h5_path({"reads", layer, name})) {}
};

// Which scale each value has.
struct Scales {
  Shape shape;                                                                // (tasks, rows) or (rows)
  std::function<Index(Index)> of;                                             // of value i, -1: it has none and is 0
  static Scales by_rows(const ParameterEntry& e);                             // logical shape
  static Scales by_owners(const ParameterEntry& e, const HostArray& owners);  // packed: owner bytes
};

// What is never narrowed to 8 bits: biases, gains and other vectors.
bool takes_int8(const ParameterEntry& e);

void write_values(H5Writer& file, const ParameterPaths& at, const HostArray& values, const Scales& scales, int packing,
                  std::optional<Quantization> quantization);
// `scales` is asked for where the values need it.
HostArray read_values(const H5Reader& file, const ParameterPaths& at, const std::function<Scales()>& scales);

}  // namespace squall
