// SIGINT and SIGTERM ask for a stop; the second one ends the process at once (130 or 143).
#pragma once

#include <atomic>

namespace squall::cli {

inline constexpr int kStoppedAndSaved = 75;

// Installs the handlers; the flag becomes the signal's number.
const std::atomic<int>& watch_signals();

}  // namespace squall::cli
