// One function per kind of BeyondML's recordings, other than layers.
#pragma once

#include "conformance/beyondml_network.hpp"

namespace squall::conformance {

void replay_prune(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_task_gradients(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_sparsification(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_train_model(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_train_iteratively(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_masked_training(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_conversion(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);

// Sets masks as the file's attributes say; compat "" for our exact selection.
void set_recorded_masks(const H5Reader& file, RecordedNetwork& net, DataIterator* data, const std::string& compat);

}  // namespace squall::conformance
