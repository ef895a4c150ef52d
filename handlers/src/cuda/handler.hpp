// A handler of a context: waiting, and steps that are recorded.
#pragma once

#include "cuda/context.hpp"

namespace squall::cuda {

std::shared_ptr<Handler> make_context_handler(std::string name, Device device, Facets facets, ContextPtr context,
                                              bool debug);

}  // namespace squall::cuda
