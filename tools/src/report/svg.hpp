// Pictures of a report's page.
#pragma once

#include <span>
#include <string>

#include "squall/tools/model_report.hpp"

namespace squall::report {

std::string colour(std::size_t index);
std::string escape(const std::string& text);
// Lines over the epochs; `name` is what they have in common.
std::string chart(const std::string& name, std::span<const LogCurve* const> curves);
// Squares, one for each weight of the sample, in the colours of their owners.
std::string owners(const OwnerSample& sample, const std::vector<std::string>& tasks);
// One bar: what each task owns of a tensor's weights, and what is free.
std::string shares(const TensorMaskReport& tensor, const std::vector<std::string>& tasks);

}  // namespace squall::report
