// on_device PROGRAM ARGUMENTS...: runs a test program on the device SQUALL_TEST_DEVICE (cuda:0 unless it says another).
// Where there is no such device it says why in one line and ends with 77, which ctest shows as skipped. Without a
// program it only says whether there is one.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "squall/handlers/make_handler.hpp"

namespace {

constexpr int kSkipped = 77;

// Why there is no such device; nothing where there is one.
std::string missing(const std::string& device) {
  if (device == "on_host") return {};  // test programs have it
  try {
    squall::make_handler(device);
    return {};
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* wanted = std::getenv("SQUALL_TEST_DEVICE");
  const std::string device = wanted == nullptr || *wanted == '\0' ? "cuda:0" : wanted;
  const std::string why = missing(device);
  if (!why.empty()) {
    std::printf("skipped: no CUDA device: %s\n", why.c_str());
    return kSkipped;
  }
  if (argc < 2) return 0;
  setenv("SQUALL_TEST_DEVICE", device.c_str(), 1);
  execv(argv[1], argv + 1);
  std::perror(argv[1]);
  return 1;
}
