// Random streams keyed by a seed and a name: what one part draws never shifts what another draws.
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "squall/core/formulas/philox.hpp"
#include "squall/core/shape.hpp"

namespace squall {

// 64-bit hash of a seed and a name; the key of a stream.
std::uint64_t stream_key(std::uint64_t seed, std::string_view name);

// Names one block of a stream for operations that draw on the device: element i of a fill uses words of
// counter (i / 4, step), so the result depends on nothing else.
struct RandomKey {
  std::uint64_t key = 0;
  std::uint64_t step = 0;
};

// Sequential numbers from a stream, on the host. Copyable; position() and seek() restore it exactly.
class Rng {
 public:
  Rng(std::uint64_t seed, std::string_view name, std::uint64_t step = 0) : key_{stream_key(seed, name), step} {}
  explicit Rng(RandomKey key) : key_(key) {}

  std::uint32_t next();
  std::uint64_t next64() { return (std::uint64_t{next()} << 32) | next(); }
  double uniform();  // [0, 1), 53 bits
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal();                       // mean 0, standard deviation 1
  Index below(Index n);                  // 0 .. n-1, without bias
  void shuffle(std::span<Index> items);  // Fisher-Yates
  std::vector<Index> permutation(Index n);
  std::uint64_t position() const { return drawn_; }
  void seek(std::uint64_t position);

 private:
  RandomKey key_;
  std::uint64_t drawn_ = 0;  // words handed out
  formulas::Block block_{};
};

}  // namespace squall
