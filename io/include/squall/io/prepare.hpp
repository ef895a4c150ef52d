// Well-known data in the files of their publishers, as HDF5 files in brainstorm's layout: a group of splits
// {training,validation,test}, in each the arrays default and targets, (T, N, ...). Written block by block.
#pragma once

#include <filesystem>

#include "squall/io/cifar.hpp"
#include "squall/io/data_set.hpp"

namespace squall {

struct PreparedFile {
  std::string group;                                    // of the splits
  std::vector<std::pair<std::string, Index>> examples;  // by split
};

// FOLDER/train-images-idx3-ubyte[.gz] and so on. /normalized_split with the last `validation` training images apart,
// /normalized_full with all of them: default (1, N, height, width, 1) from 0 to 1, targets (1, N, 1).
PreparedFile prepare_idx(const std::filesystem::path& folder, const std::filesystem::path& out,
                         Index validation = 10000);
// The folder of the binary version. As above with default = (x - mean) / deviation, both per pixel and over the
// training part of the split; they are attributes mean and std of the file, (32, 32, 3).
PreparedFile prepare_cifar(const std::filesystem::path& folder, Cifar kind, const std::filesystem::path& out,
                           Index validation = 10000);

struct TextOrder {
  Index length = 100, strands = 100;
  Index validation = -1, test = -1;  // symbols; negative: a twentieth of the text
};
// /split: default and targets (length, N, 1) are indices into the attribute unique (the bytes that occur); targets are
// the symbols that follow. Piece k of every strand follows piece k - 1, so that batches of `strands` in order continue
// each other.
PreparedFile prepare_text(const std::filesystem::path& text, const std::filesystem::path& out, const TextOrder& order);

// Parts of all arrays along one axis: boundaries at the rounded cumulated ratios (half to even).
std::vector<Split> split_arrays(const Split& arrays, int axis, std::span<const double> ratios);
// The same new order of entries for all arrays.
Split shuffle_arrays(const Split& arrays, int axis, std::uint64_t seed);

}  // namespace squall
