#include "cpu/team.hpp"

#include <chrono>
#include <exception>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace squall::cpu {

namespace {

constexpr std::chrono::microseconds kLook{50};

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits until the value is another one; its own thread sleeps when that takes long.
std::uint32_t other_than(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto until = std::chrono::steady_clock::now() + kLook;
  do {
    for (int i = 0; i < 32; ++i) {
      if (const auto now = value.load(std::memory_order_acquire); now != old) return now;
      pause();
    }
  } while (std::chrono::steady_clock::now() < until);
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

Team::Team(int threads) {
  try {
    for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { work(worker); });
  } catch (const std::exception&) {  // the system gives no more of them
    const std::size_t made = workers_.size();
    dismiss();
    raise<DeviceError>("only ", made + 1, " of ", threads, " threads could be started; ask for fewer");
  }
}

Team::~Team() { dismiss(); }

void Team::dismiss() {
  leave_ = true;
  job_.fetch_add(1, std::memory_order_release);
  job_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void Team::take_tiles(int worker) {
  for (Index tile = next_.fetch_add(1, std::memory_order_relaxed); tile < tiles_;
       tile = next_.fetch_add(1, std::memory_order_relaxed))
    call_(body_, tile, worker);
}

void Team::work(int worker) {
  std::uint32_t seen = 0;
  while (true) {
    seen = other_than(job_, seen);
    if (leave_) return;
    take_tiles(worker);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_.notify_one();
  }
}

void Team::run(Index tiles, const void* body, Call call) {
  body_ = body;
  call_ = call;
  tiles_ = tiles;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
  job_.fetch_add(1, std::memory_order_release);
  job_.notify_all();
  take_tiles(0);
  for (auto left = busy_.load(std::memory_order_acquire); left != 0;) left = other_than(busy_, left);
}

}  // namespace squall::cpu
