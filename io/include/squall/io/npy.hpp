// NumPy's .npy files, format versions 1 to 3.
#pragma once

#include <filesystem>

#include "squall/core/host_array.hpp"
#include "squall/io/bytes.hpp"

namespace squall {

// f4 gives F32, f8 F64, u1 and b1 U8, all other integers I32 (one that does not fit is an error); either byte
// order, C or Fortran order. `name` is for messages.
HostArray parse_npy(ByteView file, const std::string& name);
HostArray read_npy(const std::filesystem::path& path);

// Version 1, little-endian, C order; written atomically.
Bytes format_npy(const ConstTensor& array);
void write_npy(const std::filesystem::path& path, const HostArray& array);

}  // namespace squall
