// Matrix product of one thread. Three ways, chosen by shape alone:
//   dots     a few rows times a transposed matrix: both are read along k, nothing is packed;
//   direct   a few rows times a matrix: its rows are read where they are;
//   blocked  the matrix is packed in panels of a few vectors that stay in the first caches.
#include "cpu/isa/fill.hpp"
#include "cpu/isa/vector.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

// Rows and vectors of the block of c held in registers.
#if defined(SQUALL_ISA_avx512)
constexpr int kRows = 8, kVectors = 3;
#elif defined(SQUALL_ISA_avx2)
constexpr int kRows = 4, kVectors = 3;
#else
constexpr int kRows = 4, kVectors = 2;
#endif
constexpr Count kDepth = 256;         // k of a packed panel
constexpr Count kPanelColumns = 480;  // columns packed at a time; a multiple of the register block's
constexpr Count kDotRows = 8;         // up to here `dots` is faster than packing
constexpr Count kDotColumns = 4;

template <class R>
constexpr Count kWidth = Count{kVectors} * kLanes<R>;

Count smaller(Count a, Count b) { return a < b ? a : b; }

template <class R>
struct Panel {  // k rows of a few vectors; a: kRows values at a + i row + p column
  Count k;
  const R* a;
  Count a_row, a_col;
  const R* b;
  Count b_row;
  // What is multiplied next, to be brought to the second cache meanwhile: in each step the line at `soon`, which moves
  // on by soon_step bytes.
  const void* soon = nullptr;
  Count soon_step = 0;
};

// c (+)= a b for kM rows and kV vectors, of which the last columns may be missing in c.
template <int kM, int kV, class R>
void block(const Panel<R>& p, R* c, Count ldc, Count columns, bool add) {
  constexpr int n = kLanes<R>;
  Vector<R> sum[kM][kV] = {};
  const R* b = p.b;
  const R* a = p.a;
  const char* soon = static_cast<const char*>(p.soon != nullptr ? p.soon : p.b);
  for (Count step = 0; step < p.k; ++step, b += p.b_row, a += p.a_col) {
    __builtin_prefetch(soon, 0, 2);
    soon += p.soon_step;
    Vector<R> bv[kV];
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) bv[j] = load(b + j * n);
#pragma GCC unroll 16
    for (int i = 0; i < kM; ++i) {
      const R ai = a[i * p.a_row];
#pragma GCC unroll 4
      for (int j = 0; j < kV; ++j) sum[i][j] += ai * bv[j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kM; ++i) {
    R* row = c + i * ldc;
#pragma GCC unroll 4
    for (int j = 0; j < kV; ++j) {
      const Count left = columns - j * n;
      if (left >= n) {
        store(row + j * n, add ? load(row + j * n) + sum[i][j] : sum[i][j]);
      } else {
        for (Count l = 0; l < left; ++l) row[j * n + l] = (add ? row[j * n + l] : R(0)) + sum[i][j][l];
      }
    }
  }
}

template <int kV, class R>
void block_rows(const Panel<R>& p, Count rows, R* c, Count ldc, Count columns, bool add) {
  switch (rows) {
    case 1: return block<1, kV>(p, c, ldc, columns, add);
    case 2: return block<2, kV>(p, c, ldc, columns, add);
    case 3: return block<3, kV>(p, c, ldc, columns, add);
    case 4: return block<4, kV>(p, c, ldc, columns, add);
#if defined(SQUALL_ISA_avx512)
    case 5: return block<5, kV>(p, c, ldc, columns, add);
    case 6: return block<6, kV>(p, c, ldc, columns, add);
    case 7: return block<7, kV>(p, c, ldc, columns, add);
    case 8: return block<8, kV>(p, c, ldc, columns, add);
#endif
    default: return;
  }
}
template <class R>
void block_any(const Panel<R>& p, Count rows, int vectors, R* c, Count ldc, Count columns, bool add) {
  switch (vectors) {
    case 1: return block_rows<1>(p, rows, c, ldc, columns, add);
    case 2: return block_rows<2>(p, rows, c, ldc, columns, add);
#if !defined(SQUALL_ISA_portable)
    case 3: return block_rows<3>(p, rows, c, ldc, columns, add);
#endif
    default: return;
  }
}

template <class R>
int vectors_for(Count columns) {
  return static_cast<int>((smaller(columns, kWidth<R>) + kLanes<R> - 1) / kLanes<R>);
}

// The panel of b, of n columns, that holds column j. A last panel of one vector would keep the units waiting for each
// other: two of two vectors take its place and that of the panel before.
struct PanelPlace {
  Count first, width;
};
template <class R>
PanelPlace panel_at(Count j, Count n) {
  constexpr Count whole = kWidth<R>, pair = 2 * kLanes<R>;
  const Count last = (n - 1) / whole * whole;
  if (kVectors == 3 && last > 0 && n - last <= kLanes<R> && j >= last - whole) {
    const Count first = last - whole + (j - (last - whole)) / pair * pair;
    return {first, pair};
  }
  const Count first = j / whole * whole;
  return {first, smaller(whole, (n - first + kLanes<R> - 1) / kLanes<R> * kLanes<R>)};
}

// One panel of b: rows of `width` elements, missing columns zero.
template <class R>
void pack_panel(const GemmCall<R>& g, Count p0, Count depth, Count j0, Count columns, Count width, R* out) {
  if (g.b_col == 1) {
    for (Count p = 0; p < depth; ++p) {
      const R* from = g.b + (p0 + p) * g.b_row + j0;
      R* to = out + p * width;
      if (columns == kWidth<R>) {
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) store(to + j * kLanes<R>, load(from + j * kLanes<R>));
      } else if (columns == 2 * kLanes<R>) {
#pragma GCC unroll 2
        for (int j = 0; j < 2; ++j) store(to + j * kLanes<R>, load(from + j * kLanes<R>));
      } else {
        for (Count j = 0; j < width; ++j) to[j] = j < columns ? from[j] : R(0);
      }
    }
    return;
  }
  constexpr int n = kLanes<R>;
  for (Count j = 0; j < width; j += n) {
    const R* from = g.b + p0 + (j0 + j) * g.b_col;
    const Count there = smaller(columns - j, n);
    Count p = 0;
    if (there == n) {
      for (; p + n <= depth; p += n) {
        Vector<R> v[n];
#pragma GCC unroll 16
        for (int l = 0; l < n; ++l) v[l] = load(from + l * g.b_col + p);
        transpose<R, n>(v);
#pragma GCC unroll 16
        for (int l = 0; l < n; ++l) store(out + (p + l) * width + j, v[l]);
      }
    }
    for (; p < depth; ++p)
      for (Count l = 0; l < n; ++l) out[p * width + j + l] = l < there ? from[l * g.b_col + p] : R(0);
  }
}

// a of one block of rows as kRows values per step.
template <class R>
void pack_rows(const GemmCall<R>& g, Count i0, Count rows, Count p0, Count depth, R* out) {
  for (Count p = 0; p < depth; ++p)
    for (Count i = 0; i < rows; ++i) out[p * kRows + i] = g.a[(i0 + i) * g.a_row + (p0 + p) * g.a_col];
}

// Multiplies some rows, from i on, with the panel that holds column `at` of n, as far as `columns` columns of c go.
template <class R>
Count multiply_panel(const GemmCall<R>& g, Panel<R> panel, Count i, Count j, const PanelPlace& place, Count at,
                     Count columns, const R* packed, bool add, R* c) {
  const Count here = smaller(place.first + place.width - at, columns - j);
  panel.b = packed + place.first * panel.k + (at - place.first);
  panel.b_row = place.width;
  block_any(panel, smaller(kRows, g.m - i), vectors_for<R>(here), c, g.ldc, here, add);
  return here;
}

// Multiplies all rows with `columns` columns of c from j0 on; their panels hold the columns `first` .. of a matrix of
// n. `after`: the panel that is multiplied next.
template <class R>
void multiply_panels(const GemmCall<R>& g, Count p0, Count depth, Count j0, Count columns, const R* packed, Count first,
                     Count n, const R* after, R* a_pack) {
  const bool add = g.add || p0 > 0;
  const auto rows_at = [&](Count i) {
    return Panel<R>{depth, g.a + i * g.a_row + p0 * g.a_col, g.a_row, g.a_col, packed, kWidth<R>};
  };
  if (g.a_row == 1 && g.a_col != 1) {  // rows are apart in memory: bring them together once for all panels
    for (Count i = 0; i < g.m; i += kRows) {
      pack_rows(g, i, smaller(kRows, g.m - i), p0, depth, a_pack);
      Panel<R> panel = rows_at(i);
      panel.a = a_pack;
      panel.a_row = 1;
      panel.a_col = kRows;
      for (Count j = 0; j < columns;)
        j += multiply_panel(g, panel, i, j, panel_at<R>(first + j, n), first + j, columns, packed, add,
                            g.c + i * g.ldc + j0 + j);
    }
    return;
  }
  const Count blocks = (g.m + kRows - 1) / kRows;
  for (Count j = 0; j < columns;) {
    const PanelPlace place = panel_at<R>(first + j, n);
    const Count end = place.first + place.width;
    const char* next = reinterpret_cast<const char*>(end < first + columns ? packed + end * depth : after);
    const Count share = place.width * Count{sizeof(R)} / blocks;  // of each step
    Count here = 0;
    for (Count i = 0; i < g.m; i += kRows) {
      Panel<R> panel = rows_at(i);
      panel.soon = next + i / kRows * depth * share;
      panel.soon_step = share;
      here = multiply_panel(g, panel, i, j, place, first + j, columns, packed, add, g.c + i * g.ldc + j0 + j);
    }
    j += here;
  }
}

// Packs the columns j0 .. j0 + n of b.
template <class R>
void pack_columns(const GemmCall<R>& g, Count p0, Count depth, Count j0, Count n, R* packed) {
  for (Count j = 0; j < n;) {
    const PanelPlace place = panel_at<R>(j, n);
    pack_panel(g, p0, depth, j0 + j, smaller(place.width, n - j), place.width, packed + j * depth);
    j += place.width;
  }
}

template <class R>
void blocked(const GemmCall<R>& g, R* scratch) {
  R* a_pack = scratch;
  R* packed = scratch + kRows * kDepth;
  for (Count j0 = 0; j0 < g.n; j0 += kPanelColumns) {
    const Count columns = smaller(kPanelColumns, g.n - j0);
    for (Count p0 = 0; p0 < g.k; p0 += kDepth) {
      const Count depth = smaller(kDepth, g.k - p0);
      pack_columns(g, p0, depth, j0, columns, packed);
      multiply_panels(g, p0, depth, j0, columns, packed, 0, columns, packed, a_pack);
    }
  }
}

// b's rows are contiguous and used where they are; only the last, narrow columns are packed.
template <class R>
void direct(const GemmCall<R>& g, R* scratch) {
  const Count whole = g.n / kLanes<R> * kLanes<R>;
  for (Count i = 0; i < g.m; i += kRows) {
    for (Count j = 0; j < whole; j += kWidth<R>) {
      const Count here = smaller(kWidth<R>, whole - j);
      const Panel<R> panel{g.k, g.a + i * g.a_row, g.a_row, g.a_col, g.b + j, g.b_row};
      block_any(panel, smaller(kRows, g.m - i), vectors_for<R>(here), g.c + i * g.ldc + j, g.ldc, here, g.add);
    }
  }
  if (whole == g.n) return;
  R* packed = scratch + kRows * kDepth;
  for (Count p0 = 0; p0 < g.k; p0 += kDepth) {
    const Count depth = smaller(kDepth, g.k - p0);
    pack_panel(g, p0, depth, whole, g.n - whole, kLanes<R>, packed);
    for (Count i = 0; i < g.m; i += kRows) {
      const Panel<R> panel{depth, g.a + i * g.a_row + p0 * g.a_col, g.a_row, g.a_col, packed, kLanes<R>};
      block_rows<1>(panel, smaller(kRows, g.m - i), g.c + i * g.ldc + whole, g.ldc, g.n - whole, g.add || p0 > 0);
    }
  }
}

// kM rows of a times kN rows of b transposed.
template <int kM, int kN, class R>
void dot_block(const GemmCall<R>& g, Count i, Count j) {
  constexpr int n = kLanes<R>;
  const R* a = g.a + i * g.a_row;
  const R* b = g.b + j * g.b_col;
  Vector<R> sum[kM][kN] = {};
  Count p = 0;
  for (; p + n <= g.k; p += n) {
    Vector<R> bv[kN];
#pragma GCC unroll 8
    for (int l = 0; l < kN; ++l) bv[l] = load(b + l * g.b_col + p);
#pragma GCC unroll 8
    for (int r = 0; r < kM; ++r) {
      const Vector<R> av = load(a + r * g.a_row + p);
#pragma GCC unroll 8
      for (int l = 0; l < kN; ++l) sum[r][l] += av * bv[l];
    }
  }
  Vector<R> flat[n];
#pragma GCC unroll 4
  for (int first = 0; first < kM * kN; first += n) {
#pragma GCC unroll 16
    for (int l = 0; l < n; ++l)
      flat[l] = first + l < kM * kN ? sum[(first + l) / kN % kM][(first + l) % kN] : Vector<R>{};
    const Vector<R> totals = sums_of_each<R, n>(flat);
#pragma GCC unroll 16
    for (int l = 0; l < n; ++l) {
      if (first + l >= kM * kN) continue;
      const Count r = (first + l) / kN;
      const Count column = (first + l) % kN;
      R total = totals[l];
      for (Count q = p; q < g.k; ++q) total += a[r * g.a_row + q] * b[column * g.b_col + q];
      R& c = g.c[(i + r) * g.ldc + j + column];
      c = g.add ? c + total : total;
    }
  }
}
template <int kN, class R>
void dot_rows(const GemmCall<R>& g, Count j) {
  Count i = 0;
#if defined(SQUALL_ISA_avx512)
  for (; i + 4 <= g.m; i += 4) dot_block<4, kN>(g, i, j);
#endif
  for (; i + 2 <= g.m; i += 2) dot_block<2, kN>(g, i, j);
  for (; i < g.m; ++i) dot_block<1, kN>(g, i, j);
}
template <class R>
void dots(const GemmCall<R>& g) {
  Count j = 0;
  for (; j + 4 <= g.n; j += 4) dot_rows<4>(g, j);
  for (; j + 2 <= g.n; j += 2) dot_rows<2>(g, j);
  for (; j < g.n; ++j) dot_rows<1>(g, j);
}

template <class R>
void gemm(const GemmCall<R>& g, R* scratch) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) {
    for (Count i = 0; i < g.m && !g.add; ++i)
      for (Count j = 0; j < g.n; ++j) g.c[i * g.ldc + j] = R(0);
    return;
  }
  const bool rows_of_b = g.b_col == 1;
  if (!rows_of_b && g.a_col == 1 && (g.m <= kDotRows || g.n <= kDotColumns)) return dots(g);
  if (rows_of_b && (g.m <= kRows || g.n * g.k <= 4096)) return direct(g, scratch);
  blocked(g, scratch);
}

// The panels of all of b, by pieces of its depth as in `blocked`.
template <class R>
void pack_all(Count k, Count n, const R* b, Count b_row, Count b_col, R* packed) {
  GemmCall<R> g;
  g.k = k;
  g.n = n;
  g.b = b;
  g.b_row = b_row;
  g.b_col = b_col;
  const Count columns = (n + kWidth<R> - 1) / kWidth<R> * kWidth<R>;
  for (Count p0 = 0; p0 < k; p0 += kDepth) {
    pack_columns(g, p0, smaller(kDepth, k - p0), 0, n, packed + p0 * columns);
  }
}
template <class R>
void multiply_packed(const PackedCall<R>& call) {
  GemmCall<R> g;
  g.m = call.m;
  g.n = call.n;
  g.k = call.k;
  g.a = call.a;
  g.a_row = call.a_row;
  g.a_col = call.a_col;
  g.c = call.c;
  g.ldc = call.ldc;
  g.add = call.add;
  const Count columns = (call.columns + kWidth<R> - 1) / kWidth<R> * kWidth<R>;
  for (Count p0 = 0; p0 < g.k; p0 += kDepth) {
    const Count depth = smaller(kDepth, g.k - p0);
    const R* here = call.packed + p0 * columns;
    const Count left = g.k - p0 - depth;
    const R* after = left > 0 ? here + columns * depth + call.first * smaller(kDepth, left) : here;
    multiply_panels(g, p0, depth, 0, g.n, here, call.first, call.columns, after, call.scratch);
  }
}

template <class R>
void fill(Kernels<R>& k) {
  k.gemm = gemm<R>;
  k.sequence.pack_columns = kWidth<R>;
  k.sequence.pack_depth = kDepth;
  k.sequence.pack = pack_all<R>;
  k.sequence.multiply = multiply_packed<R>;
  k.gemm_scratch = kDepth * (kRows + kPanelColumns);
}

}  // namespace

void fill_gemm(Kernels<float>& k) { fill(k); }
void fill_gemm(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
