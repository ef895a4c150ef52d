// Kernels of recurrent layers: products with a matrix that is packed once for many of them, and what a cell does with
// its gates. Read by files compiled for wide vectors: free of code.
#pragma once

#include <cstdint>

namespace squall::cpu {

inline constexpr int kCellActivations = 5;

template <class R>
struct PackedCall {  // c (=, +=) a b for the columns first .. first + n of b; first is a multiple of pack_columns
  std::int64_t m = 0, n = 0, k = 0;
  const R* a = nullptr;  // element (i, p) at a[i a_row + p a_col]; one of the two is 1
  std::int64_t a_row = 0;
  const R* packed = nullptr;
  std::int64_t columns = 0, first = 0;  // columns: of all of b
  R* c = nullptr;
  std::int64_t ldc = 0;
  bool add = false;
  std::int64_t a_col = 1;
  R* scratch = nullptr;  // gemm_scratch elements, needed where a_row is 1 and a_col is not
};

// A block of one step: `rows` sequences and n units of matrices whose rows are ld long. Gates hold sums of products
// before forward and activated values after it; biases are added here.
template <class R>
struct LstmCall {
  std::int64_t rows = 0, n = 0, ld = 0;
  const R* bias[4] = {};      // z, i, f, o
  const R* peephole[3] = {};  // i, f, o, or null
  R* gate[4] = {};
  const R* c_before = nullptr;
  R *c = nullptr, *output = nullptr, *h = nullptr;
  // Backward: dc is of the cell after the step, then of the cell before it; delta gets those of the sums.
  const R* dh = nullptr;
  R* dc = nullptr;
  R* delta[4] = {};
  double* peephole_sums[3] = {};  // += over the rows
};

template <class R>
struct GruCall {
  std::int64_t rows = 0, n = 0, ld = 0;
  const R* bias[4] = {};  // r, z, n, q
  R* gate[4] = {};
  const R* h_before = nullptr;
  R* h = nullptr;
  // Backward: carry += what reaches h_before past the weights.
  const R* dh = nullptr;
  R* carry = nullptr;
  R* delta[4] = {};
};

template <class R>
struct SequenceKernels {
  std::int64_t pack_columns, pack_depth;
  // b (k, n) with element (p, j) at b[p b_row + j b_col]; packed: k times n rounded up to pack_columns.
  void (*pack)(std::int64_t k, std::int64_t n, const R* b, std::int64_t b_row, std::int64_t b_col, R* packed);
  void (*multiply)(const PackedCall<R>&);
  // By activation, without softmax.
  void (*lstm[kCellActivations])(const LstmCall<R>&);
  void (*lstm_back[kCellActivations])(const LstmCall<R>&);
  void (*gru[kCellActivations])(const GruCall<R>&);
  void (*gru_back[kCellActivations])(const GruCall<R>&);
};

}  // namespace squall::cpu
