// The binary versions of CIFAR-10 and CIFAR-100.
#pragma once

#include <filesystem>
#include <span>

#include "squall/core/host_array.hpp"
#include "squall/io/bytes.hpp"

namespace squall {

struct CifarBatch {
  HostArray images;         // (N, 32, 32, 3) U8
  HostArray labels;         // (N) I32; CIFAR-100: the fine ones
  HostArray coarse_labels;  // CIFAR-100 only
};

enum class Cifar : std::uint8_t { Ten, Hundred };

// Records of one label (two: coarse, fine) and 32x32 red, green and blue bytes. `name` is for messages.
CifarBatch parse_cifar(ByteView file, Cifar kind, const std::string& name);
// All the files in one batch.
CifarBatch read_cifar(std::span<const std::filesystem::path> files, Cifar kind);

}  // namespace squall
