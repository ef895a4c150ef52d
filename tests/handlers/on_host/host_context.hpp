// The facets and kernels of the CUDA handler over memory of the host: every kernel runs here over its whole grid, one
// thread after another.
#pragma once

#include <memory>
#include <string>

#include "squall/core/handler.hpp"

namespace squall::test {

// "f32" or "f64" at the end of the name says the type of numbers.
std::shared_ptr<Handler> make_on_host(const std::string& name);

}  // namespace squall::test
