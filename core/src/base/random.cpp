#include "squall/core/random.hpp"

#include <utility>

namespace squall {

namespace {

std::uint64_t mix(std::uint64_t x) {  // finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

std::uint64_t stream_key(std::uint64_t seed, std::string_view name) {
  std::uint64_t h = 0xCBF29CE484222325ULL;  // FNV-1a over the name
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix(mix(seed + 0x9E3779B97F4A7C15ULL) ^ h);
}

std::uint32_t Rng::next() {
  const auto word = static_cast<unsigned>(drawn_ % 4);
  if (word == 0) block_ = formulas::philox(drawn_ / 4, key_.step, key_.key);
  ++drawn_;
  return block_.v[word];
}

void Rng::seek(std::uint64_t position) {
  drawn_ = position;
  if (position % 4 != 0) block_ = formulas::philox(position / 4, key_.step, key_.key);
}

double Rng::uniform() { return static_cast<double>(next64() >> 11) * 0x1p-53; }

double Rng::normal() {
  const std::uint32_t a = next();
  const std::uint32_t b = next();
  double first = 0;
  double second = 0;
  formulas::normal_pair(a, b, first, second);
  return first;
}

Index Rng::below(Index n) {
  SQUALL_CHECK(n > 0, "cannot draw below ", n);
  const auto range = static_cast<std::uint64_t>(n);
  const std::uint64_t rest = (0 - range) % range;  // values below this would be drawn too often
  std::uint64_t drawn = next64();
  while (drawn < rest) drawn = next64();
  return static_cast<Index>(drawn % range);
}

void Rng::shuffle(std::span<Index> items) {
  for (auto i = static_cast<Index>(items.size()) - 1; i > 0; --i)
    std::swap(items[static_cast<std::size_t>(i)], items[static_cast<std::size_t>(below(i + 1))]);
}

std::vector<Index> Rng::permutation(Index n) {
  std::vector<Index> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(order);
  return order;
}

}  // namespace squall
