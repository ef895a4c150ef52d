// A data set in memory: named splits of named arrays, and the options every reader of data sets shares.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "squall/core/describe.hpp"
#include "squall/core/host_array.hpp"
#include "squall/core/json.hpp"

namespace squall {

// "default": (N, features...) of U8, F32 or I32; "targets": (N, 1) I32 classes or (N, K) F32 values; others as
// the file has them. With time in front (T, N, ...) where the data set says so.
using Split = std::map<std::string, HostArray, std::less<>>;

struct DataSet {
  std::map<std::string, Split, std::less<>> splits;  // "train", "validation", "test"
  Index classes = 0;                                 // of the targets; 0: they are values
  bool has_time = false;                             // the arrays are (T, N, ...)
  std::vector<std::string> class_names;              // where the data set has them

  int example_axis() const { return has_time ? 1 : 0; }
  bool has(std::string_view split) const { return splits.contains(split); }
  const Split& split(std::string_view name) const;                              // DataError with the known ones
  const HostArray& array(std::string_view split, std::string_view name) const;  // likewise
  Index examples(std::string_view split) const;                                 // 0 where it is not
};

// Options of all readers, applied in the order in which they stand here.
struct CommonOptions {
  std::vector<Index> classes;
  std::optional<Index> examples;
  double validation = 0;
  std::vector<Index> resize;
  std::optional<Index> permute;
  std::optional<double> scale;
  std::vector<double> mean, std;
  Index one_hot = 0;
  json augment = json::array();

  static constexpr auto own_fields() {
    using O = CommonOptions;
    return std::tuple{
        field("classes", &O::classes,
              "keep the examples of these classes, relabelled 0, 1, ... in this order; all if empty"),
        field("examples", &O::examples, "keep the first so many training examples"),
        field("validation", &O::validation,
              "fraction of the training examples, the last ones, set apart as split 'validation'"),
        field("resize", &O::resize, "[height, width] to which images are scaled (bilinear, half-pixel centres)"),
        field("permute", &O::permute,
              "put the numbers of each input in another order, the same for all; this seed draws the order"),
        field("scale", &O::scale, "divide the inputs by this (255 makes bytes 0 to 1)"),
        field("mean", &O::mean, "subtract this after scaling: one number, or one per channel"),
        field("std", &O::std, "divide by this after subtracting the mean: one number, or one per channel"),
        field("one_hot", &O::one_hot,
              "inputs are classes, one number each, and become rows of so many zeros and one 1; 0: left as they are"),
        field("augment", &O::augment, "iterators that change the batches while training")};
  }
};

// Adds a problem for each value that can never be right.
void check(const CommonOptions& options, std::string_view where, Problems& problems);
// Applies the options and checks that the set is usable: examples in every split, as many targets as inputs,
// targets within the classes. `name` is for messages.
DataSet prepare(DataSet set, const CommonOptions& options, const std::string& name);

// Copies the chosen entries of one axis, in this order.
HostArray take_entries(const HostArray& from, int axis, std::span<const Index> chosen);

// (N, h, w, C) or (T, N, h, w, C) to the given size, as F32.
HostArray resize_bilinear(const HostArray& images, Index height, Index width);

// Whether numbers are classes: whole and not negative, one per example.
bool could_be_classes(const HostArray& targets);

// brainstorm's HDF5 layout: GROUP/{training,validation,test}/NAME, arrays (T, N, ...), T = 1 without time.
void save_data_set(const std::filesystem::path& path, const DataSet& set, const std::string& group = "normalized_split",
                   const std::string& description = "");

}  // namespace squall
