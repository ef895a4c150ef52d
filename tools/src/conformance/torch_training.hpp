// Recordings of PyTorch's optimizers, clipping of gradients and learning rate schedules.
#pragma once

#include "conformance/compare.hpp"
#include "squall/core/handler.hpp"
#include "squall/io/h5_file.hpp"

namespace squall::conformance {

void replay_optimizer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_clip(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c);
void replay_schedule(const H5Reader& file, Comparison& c);

}  // namespace squall::conformance
