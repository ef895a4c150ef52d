// Plans of NVIDIA's libraries; nullptr where they do not serve.
#pragma once

#include "cuda/device/device_context.hpp"

namespace squall::cuda {

std::unique_ptr<DensePlan> make_dense_plan(DeviceContext& context, Handler& handler, const DenseSpec& spec);
std::unique_ptr<ConvPlan> make_conv_plan(DeviceContext& context, Handler& handler, const ConvSpec& spec);

// y = f(y), and dy = gradient before f, for every activation.
void activate(const Handler& handler, Activation f, const Tensor& y);
void activate_back(const Handler& handler, Activation f, const ConstTensor& y, const Tensor& dy);

}  // namespace squall::cuda
