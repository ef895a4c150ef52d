#include "cli/signals.hpp"

#include <unistd.h>
#include <csignal>

namespace squall::cli {

namespace {

// A signal handler can reach nothing but an object with static storage.
std::atomic<int> stop_signal{0};

extern "C" void on_signal(int number) {
  if (stop_signal.exchange(number) != 0) _exit(128 + number);
}

}  // namespace

const std::atomic<int>& watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop_signal;
}

}  // namespace squall::cli
