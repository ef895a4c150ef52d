// Rows of attention scores: masks, softmax and dropout, forward and back (row programs, see rows.hpp).
#pragma once

#include <cmath>

#include "cuda/kernels/row_programs.hpp"
#include "squall/core/formulas/philox.hpp"
#include "squall/core/ops/attention.hpp"

namespace squall::cuda::SQUALL_GRID {

// A mask of bytes (1 forbids) or of numbers that are added; or none.
template <class R>
struct MaskOf {
  const std::uint8_t* forbidden = nullptr;
  const R* added = nullptr;
  MaskOf() = default;
  explicit MaskOf(const ConstTensor& mask) {
    if (!mask) return;
    if (mask.dtype() == DType::U8)
      forbidden = mask.as<std::uint8_t>();
    else
      added = mask.as<R>();
  }
  SQUALL_HD R at(Index i, R forbids) const {
    if (forbidden != nullptr) return forbidden[i] != 0 ? forbids : R(0);
    return added != nullptr ? added[i] : R(0);
  }
};

// Where a row of scores stands: row = item * queries + query, items are examples of one head or heads of one example.
template <class R>
struct ScorePlace {
  Index example, head;
  bool by_head;
  Index batch, heads, queries, keys, masked_keys;
  bool causal;
  Index mask_batch, mask_heads;
  MaskOf<R> mask, padding;
  bool padding_batch_first, batch_first, averaged;
  std::uint64_t key, step;
  double keep;
  std::uint32_t threshold;

  SQUALL_HD Index query(Index row) const { return row % queries; }
  SQUALL_HD Index example_of(Index row) const { return by_head ? example + row / queries : example; }
  SQUALL_HD Index head_of(Index row) const { return by_head ? head : head + row / queries; }
  SQUALL_HD static R forbids() { return R(-1e30); }

  // The score with its masks; forbids() or less where it counts for nothing.
  SQUALL_HD R masked(Index row, Index key_index, R score) const {
    if (key_index >= masked_keys) return within(score);
    const Index q = query(row), n = example_of(row), h = head_of(row);
    if (causal && key_index > q) return forbids();
    const Index plane = (mask_batch > 1 ? n : 0) * mask_heads + (mask_heads > 1 ? h : 0);
    const Index spot = padding_batch_first ? n * masked_keys + key_index : key_index * batch + n;
    return within(score + within(mask.at((plane * queries + q) * masked_keys + key_index, forbids())) +
                  within(padding.at(spot, forbids())));
  }
  SQUALL_HD static R within(R v) { return v < forbids() ? forbids() : (v > -forbids() ? -forbids() : v); }
  SQUALL_HD static bool allowed(R score) { return !(score <= forbids() / R(2)); }

  // 0 or 1 / keep for a weight.
  SQUALL_HD R draw(Index row, Index key_index) const {
    if (keep >= 1) return R(1);
    std::uint64_t x = key + 0x9E3779B97F4A7C15ULL * (static_cast<std::uint64_t>(stream(row)) + 1);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    x ^= x >> 31;
    const Index at = query(row) * ((keys + 3) / 4 * 4) + key_index;
    const formulas::Block words = formulas::philox(static_cast<std::uint64_t>(at / 4), step, x);
    return (words.v[at % 4] >> 8) < threshold ? static_cast<R>(1.0 / keep) : R(0);
  }
  SQUALL_HD Index stream(Index row) const { return example_of(row) * heads + head_of(row); }

  // The weight's place in the array of weights.
  SQUALL_HD Index weight(Index row, Index key_index) const {
    const Index n = example_of(row), q = query(row);
    const Index line = batch_first ? n * queries + q : q * batch + n;
    return averaged ? line * keys + key_index : (line * heads + head_of(row)) * keys + key_index;
  }
  SQUALL_HD R share() const { return averaged ? R(1) / static_cast<R>(heads) : R(1); }
};

// p: scores, then their softmax, 0 where forbidden; kept: after dropout (or null); weights: where they are asked for.
template <class R>
struct ScoreRows {
  static constexpr int kStages = 2;
  ScorePlace<R> place;
  R *p, *kept, *weights;
  R scale;
  SQUALL_HD R score(Index row, Index i) const { return place.masked(row, i, p[row * place.keys + i] * scale); }
  SQUALL_HD double partial(int stage, Index row, Index first, Index step, const double* totals) const {
    double result = stage == 0 ? infinity_below() : 0.0;
    for (Index i = first; i < place.keys; i += step) {
      const R s = score(row, i);
      if (!place.allowed(s)) continue;
      if (stage == 0)
        result = larger(result, static_cast<double>(s));
      else
        result += static_cast<double>(formulas::exp_of(s - static_cast<R>(totals[0])));
    }
    return result;
  }
  SQUALL_HD double combine(int stage, double a, double b) const { return stage == 0 ? larger(a, b) : a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const R top = static_cast<R>(totals[0]), one = R(1) / static_cast<R>(totals[1]);
    for (Index i = first; i < place.keys; i += step) {
      const R s = score(row, i);
      const R v = place.allowed(s) ? formulas::exp_of(s - top) * one : R(0);
      const Index at = row * place.keys + i;
      p[at] = v;
      const R left = v * place.draw(row, i);
      if (kept != nullptr) kept[at] = left;
      if (weights != nullptr)
        put(weights + place.weight(row, i), left * place.share(), place.averaged && place.head_of(row) > 0);
    }
  }
};

// Deltas of the scores from those of the weights: da (or null: none) and of the weights that were asked for (or null).
template <class R>
struct ScoreBackRows {
  static constexpr int kStages = 1;
  ScorePlace<R> place;
  const R *p, *da, *dweights;
  R* to;
  R scale;
  SQUALL_HD R delta(Index row, Index i) const {
    R d = da != nullptr ? da[row * place.keys + i] : R(0);
    if (dweights != nullptr) d += dweights[place.weight(row, i)] * place.share();
    return d * place.draw(row, i);
  }
  SQUALL_HD double partial(int, Index row, Index first, Index step, const double*) const {
    double dot = 0;
    for (Index i = first; i < place.keys; i += step)
      dot += static_cast<double>(p[row * place.keys + i]) * static_cast<double>(delta(row, i));
    return dot;
  }
  SQUALL_HD double combine(int, double a, double b) const { return a + b; }
  SQUALL_HD void finish(Index row, Index first, Index step, const double* totals) const {
    const R dot = static_cast<R>(totals[0]);
    for (Index i = first; i < place.keys; i += step) {
      const Index at = row * place.keys + i;
      to[at] = p[at] * (delta(row, i) - dot) * scale;
    }
  }
};

}  // namespace squall::cuda::SQUALL_GRID
