// Data sets drawn by code: seeded, the same bytes on every machine, nothing to download.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "squall/io/data_set.hpp"

namespace squall {

struct SyntheticSet {
  std::string_view name, doc;
  Index classes;                 // 0: targets are values
  DType dtype;                   // of the inputs: U8 images, F32 points, I32 words
  Index features;                // numbers of one input
  Index side = 0, channels = 0;  // of images
  bool by_pixel = false;         // each pixel has a class: targets (N, side, side, 1)
};

std::span<const SyntheticSet> synthetic_sets();
const SyntheticSet& synthetic_set(std::string_view name);  // ConfigError with the known ones

// Example i of a split comes from a random stream of its own, so fewer examples are the first of more, and the
// splits ("train", "test", any word) have nothing in common.
Split draw_synthetic(std::string_view set, std::string_view split, Index examples, std::uint64_t seed);
// The class of one example, without drawing it; 0 where targets are values or stand for pixels.
Index synthetic_label(std::string_view set, std::string_view split, Index index, std::uint64_t seed);

}  // namespace squall
