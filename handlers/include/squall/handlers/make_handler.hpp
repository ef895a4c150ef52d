// Handlers by name: "cpu", "cpu:f32", "cpu:f64", "cuda:0", "cuda:0:f64", each with "debug:" before it or not.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "squall/core/enum_name.hpp"
#include "squall/core/handler.hpp"

namespace squall {

// Of products of single precision on a GPU: Exact never rounds operands; the others round them to so many bits where
// that is faster, and add up in single precision.
enum class Precision : std::uint8_t { Exact, Tf32, Bf16 };
std::span<const EnumName<Precision>> enum_names(Precision);

struct HandlerOptions {
  int threads = 0;  // of a CPU; 0: all cores the process may use
  Precision precision = Precision::Exact;
};

// Throws DeviceError for a name that is wrong (with the nearest right one), a device that is not there and a precision
// that it does not have.
std::shared_ptr<Handler> make_handler(std::string_view name, const HandlerOptions& options = {});
// Throws DeviceError for a name that is wrong, whether the device is there or not.
void check_handler_name(std::string_view name);

// Full names of the handlers usable on this machine.
std::vector<std::string> available_handlers();

// One line per library and kernel family: what is used and, where something is missing, why.
std::vector<std::string> handler_report();

}  // namespace squall
