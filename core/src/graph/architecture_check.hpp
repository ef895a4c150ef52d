// What must hold of the layers and connections of every architecture, from JSON or wired in C++.
#pragma once

#include "squall/core/architecture.hpp"

namespace squall {

void check_layer_name(const std::string& name, std::string_view path, Problems& problems);

// `names`: all layers there are, also those that could not be read and are missing in `layers`.
void check_connections(const std::vector<LayerSpec>& layers, const std::vector<Connection>& connections,
                       const std::vector<std::string>& names, std::string_view where, Problems& problems);

}  // namespace squall
