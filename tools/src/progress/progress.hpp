// Shows how training goes: a bar on a terminal, plain lines in a log, JSON for programs, or nothing. On stderr.
#pragma once

#include <memory>
#include <string_view>

#include "squall/training/trainer.hpp"

namespace squall {

// `mode`: auto (bar on a terminal that can redraw, else plain), bar, plain, json, none.
std::unique_ptr<TrainingObserver> make_progress(std::string_view mode, bool quiet);

}  // namespace squall
