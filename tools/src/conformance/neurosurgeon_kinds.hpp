// NeuroSurgeon's recordings: mask layers, masked networks, training of scores, tables.
#pragma once

#include "conformance/compare.hpp"
#include "conformance/layer_replay.hpp"
#include "squall/core/masks.hpp"

namespace squall::conformance {

void replay_mask_layer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_mask_model(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_mask_training(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_mask_table(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);

json json_attribute(const H5Reader& file, const std::string& path, const std::string& name);
// The mask's type and options for the original's method and hyperparameters.
json mask_of_method(const std::string& method, const json& hyperparameters);
// Whether anything in the array is negative: such recordings of pruning rank by signed value.
bool any_negative(const HostArray& x);
// A layer as its recording names it: one of the mask layers, or the plain one with a mask put over it.
struct MaskLayerKind {
  std::string layer;  // Linear, GPTConv1D, Conv1d, Conv2d
  int axes() const { return layer == "Conv1d" ? 1 : layer == "Conv2d" ? 2 : 0; }
  Arrange weights() const;  // weights, their scores and masks in our layout
  std::string plain() const { return axes() == 0 ? "Dense" : concat("Conv", axes(), "D"); }
  json plain_options(const json& arguments) const;
};

}  // namespace squall::conformance
