// Refuses networks and batches that no memory could hold before anything is computed with their sizes, and says which
// layer wants how much.
#pragma once

#include "squall/core/handler.hpp"
#include "squall/core/layout.hpp"
#include "squall/core/parameter_store.hpp"

namespace squall {

// Bytes of so many numbers, without overflow.
double wanted_bytes(const Shape& shape, std::size_t each);

// All parameters with their gradients.
void check_parameter_memory(const std::vector<ParameterEntry>& entries, const Graph& graph, Handler& handler);
// Each buffer of a pass by itself.
void check_buffer_memory(const Graph& graph, const PassPlan& plan, const Sizes& sizes, Handler& handler);
// All of them together.
void check_layout_memory(const Layout& layout, Handler& handler);

}  // namespace squall
