// Random numbers of many blocks of a Philox stream at once. The words of a few blocks are computed by vectors of
// blocks and then put in the order of the stream. Compiled without contraction of products and sums, so that every
// instruction set draws the same numbers.
#include "cpu/isa/fill.hpp"
#include "squall/core/formulas/philox.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

constexpr int kGroup = 16;  // blocks computed together

struct Words {
  std::uint32_t word[4][kGroup];
};

void draw(std::uint64_t key, std::uint64_t step, std::uint64_t first, Words& w) {
#pragma omp simd
  for (int b = 0; b < kGroup; ++b) {
    const formulas::Block block = formulas::philox(first + static_cast<std::uint64_t>(b), step, key);
    w.word[0][b] = block.v[0];
    w.word[1][b] = block.v[1];
    w.word[2][b] = block.v[2];
    w.word[3][b] = block.v[3];
  }
}

// Calls put(element, word) for the elements of `blocks` blocks.
template <class Put>
[[gnu::always_inline]] inline void each_word(std::uint64_t key, std::uint64_t step, Count first, Count blocks,
                                             const Put& put) {
  Words w;
  for (Count done = 0; done < blocks; done += kGroup) {
    draw(key, step, static_cast<std::uint64_t>(first + done), w);
    const Count left = blocks - done;
    if (left >= kGroup) {
      for (int b = 0; b < kGroup; ++b)
        for (int i = 0; i < 4; ++i) put((done + b) * 4 + i, w.word[i][b]);
    } else {
      for (int b = 0; b < left; ++b)
        for (int i = 0; i < 4; ++i) put((done + b) * 4 + i, w.word[i][b]);
    }
  }
}

template <class T>
void bernoulli(std::uint64_t key, std::uint64_t step, Count first, Count blocks, std::uint32_t threshold, T* out) {
  each_word(
      key, step, first, blocks, [=](Count i, std::uint32_t word) __attribute__((always_inline)) {
        out[i] = (word >> 8) < threshold ? T(1) : T(0);
      });
}
template <class R>
void uniform(std::uint64_t key, std::uint64_t step, Count first, Count blocks, double low, double high, R* out) {
  each_word(
      key, step, first, blocks, [=](Count i, std::uint32_t word) __attribute__((always_inline)) {
        const double unit = static_cast<double>(static_cast<std::int32_t>(word >> 8)) * 0x1p-24;
        out[i] = static_cast<R>(low + (high - low) * unit);
      });
}

template <class R>
void fill(Kernels<R>& k) {
  k.bernoulli = bernoulli<R>;
  k.bernoulli_u8 = bernoulli<std::uint8_t>;
  k.uniform = uniform<R>;
}

}  // namespace

void fill_random(Kernels<float>& k) { fill(k); }
void fill_random(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
