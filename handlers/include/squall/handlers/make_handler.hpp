// Handlers by name: "cpu", "cpu:f32", "cpu:f64", "cuda:0", "cuda:0:f64", each with "debug:" before it or not.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "squall/core/handler.hpp"

namespace squall {

struct HandlerOptions {
  int threads = 0;  // 0: all cores the process may use
};

// Throws DeviceError for a name that is wrong (with the nearest right one) or a device that is not there.
std::shared_ptr<Handler> make_handler(std::string_view name, const HandlerOptions& options = {});
// Throws DeviceError for a name that is wrong, whether the device is there or not.
void check_handler_name(std::string_view name);

// Full names of the handlers usable on this machine.
std::vector<std::string> available_handlers();

// One line per library and kernel family: what is used and, where something is missing, why.
std::vector<std::string> handler_report();

}  // namespace squall
