// A network as a picture: shapes, parameters, tasks in colours, density of masked weights.
#pragma once

#include <string>

#include "squall/core/network.hpp"

namespace squall {

std::string draw_svg(const Network& network, const std::string& title);
std::string draw_dot(const Network& network, const std::string& title);

}  // namespace squall
