// Host memory, aligned to 64 bytes.
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>

#include "cpu/aligned.hpp"
#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

class CpuMemory final : public MemoryOps {
 public:
  explicit CpuMemory(const Parallel& parallel) : parallel_(parallel) {}

 protected:
  std::byte* do_allocate(std::size_t bytes) override {
    if (bytes > SIZE_MAX - kCacheLine) return nullptr;
    return static_cast<std::byte*>(std::aligned_alloc(kCacheLine, whole_lines(std::max<std::size_t>(bytes, 1))));
  }
  void do_release(std::byte* block) override { std::free(block); }
  std::size_t do_capacity() const override { return capacity_; }
  void do_copy(const void* from, void* to, std::size_t bytes) override {
    pieces(bytes, [&](std::size_t first, std::size_t count) {
      std::memmove(static_cast<std::byte*>(to) + first, static_cast<const std::byte*>(from) + first, count);
    });
  }
  void do_zero(void* to, std::size_t bytes) override {
    pieces(bytes,
           [&](std::size_t first, std::size_t count) { std::memset(static_cast<std::byte*>(to) + first, 0, count); });
  }
  void do_upload(const void* host, void* to, std::size_t bytes) override { do_copy(host, to, bytes); }
  void do_download(const void* from, void* host, std::size_t bytes) override { do_copy(from, host, bytes); }

 private:
  template <class F>
  void pieces(std::size_t bytes, const F& f) const {
    constexpr Index kPiece = Index{1} << 20;
    const auto all = static_cast<Index>(bytes);
    parallel_.run(ceil_div(all, kPiece), all > 2 * kPiece, [&](Index tile, int) {
      f(static_cast<std::size_t>(tile * kPiece), static_cast<std::size_t>(std::min(kPiece, all - tile * kPiece)));
    });
  }
  // Of this machine, or of the container where that has less.
  static std::size_t physical_bytes() {
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0) return 0;
    const std::size_t whole = static_cast<std::size_t>(pages) * static_cast<std::size_t>(page);
    std::size_t limit = 0;
    std::ifstream container("/sys/fs/cgroup/memory.max");
    return container >> limit && limit > 0 ? std::min(limit, whole) : whole;
  }
  Parallel parallel_;
  std::size_t capacity_ = physical_bytes();
};

}  // namespace

std::unique_ptr<MemoryOps> make_memory(const Parallel& parallel) { return std::make_unique<CpuMemory>(parallel); }

}  // namespace squall::cpu
