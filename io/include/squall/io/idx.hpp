// IDX files (MNIST and its kin): plain or gzip, checked against their own header.
#pragma once

#include <filesystem>

#include "squall/core/host_array.hpp"
#include "squall/io/bytes.hpp"

namespace squall {

// Unsigned bytes give U8, other whole numbers I32, reals F32 or F64. `name` is for messages.
HostArray parse_idx(ByteView file, const std::string& name);
HostArray read_idx(const std::filesystem::path& path);

struct IdxPair {
  HostArray images;  // (N, height, width) U8
  HostArray labels;  // (N) U8
};
// PREFIX-images-idx3-ubyte[.gz] and PREFIX-labels-idx1-ubyte[.gz].
IdxPair read_idx_pair(const std::filesystem::path& prefix);
// The two files each pair consists of, in the spelling that is there, else the plain one.
std::filesystem::path idx_images_file(const std::filesystem::path& prefix);
std::filesystem::path idx_labels_file(const std::filesystem::path& prefix);

}  // namespace squall
