// Products of a sparse matrix with blocks of examples (features in rows, examples along the vector) and with single
// examples (gathers), and the transposition that brings examples into blocks.
#include "cpu/isa/fill.hpp"
#include "cpu/isa/vector.hpp"

namespace squall::cpu::SQUALL_ISA {

namespace {

template <class R>
void transpose_rows(Count rows, Count n, const R* const* in, R* out, Count out_ld) {
  constexpr int lanes = kLanes<R>;
  Count i = 0;
  for (; i + lanes <= rows; i += lanes) {
    Count j = 0;
    for (; j + lanes <= n; j += lanes) {
      Vector<R> v[lanes];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) v[l] = in[i + l] != nullptr ? load(in[i + l] + j) : Vector<R>{};
      transpose<R, lanes>(v);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(out + (j + l) * out_ld + i, v[l]);
    }
    for (; j < n; ++j)
      for (int l = 0; l < lanes; ++l) out[j * out_ld + i + l] = in[i + l] != nullptr ? in[i + l][j] : R(0);
  }
  for (; i < rows; ++i)
    for (Count j = 0; j < n; ++j) out[j * out_ld + i] = in[i] != nullptr ? in[i][j] : R(0);
}

// Two rows at a time; kV vectors of kN lanes each. Every kRun lanes of x are `stride` apart.
template <class R, int kN, int kV, int kRun>
SQUALL_ALWAYS void block_of(const RowGroups& g, const std::int32_t* offset, const R* value, const R* x, Count stride,
                            R* y) {
  const auto at = [stride](const R* from, int v) __attribute__((always_inline)) {
    return load<R, kN>(from + v * kN / kRun * stride + v * kN % kRun);
  };
  constexpr int width = kN * kV;
  for (Count pair = 0; pair < g.pairs; ++pair) {
    R* first = y + Count{g.row[2 * pair]} * width;
    R* second = y + Count{g.row[2 * pair + 1]} * width;
    Vector<R, kN> a[kV];
    Vector<R, kN> b[kV];
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      a[v] = load<R, kN>(first + v * kN);
      b[v] = load<R, kN>(second + v * kN);
    }
    for (std::int32_t left = g.length[pair]; left > 0; --left, offset += 2, value += 2) {
      const R* xa = x + offset[0];
      const R* xb = x + offset[1];
      const R wa = value[0];
      const R wb = value[1];
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) a[v] += wa * at(xa, v);
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) b[v] += wb * at(xb, v);
    }
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) {
      store<R, kN>(first + v * kN, a[v]);
      store<R, kN>(second + v * kN, b[v]);
    }
  }
}
template <class R, int kWidthOfBlock>
void block_width(const RowGroups& g, const std::int32_t* offset, const R* value, const R* x, R* y) {
  constexpr int lanes = kWidthOfBlock < kLanes<R> ? kWidthOfBlock : kLanes<R>;
  block_of<R, lanes, kWidthOfBlock / lanes, kWidthOfBlock>(g, offset, value, x, 0, y);
}
template <class R>
constexpr int kPixels = 4 * kLanes<R> > kImageLanes ? 4 * kLanes<R> / kImageLanes : 1;
template <class R>
void images(const RowGroups& g, const std::int32_t* offset, const R* value, const R* x, Count stride, R* y) {
  constexpr int width = kPixels<R> * kImageLanes;
  block_of<R, kLanes<R>, width / kLanes<R>, kImageLanes>(g, offset, value, x, stride, y);
}

template <class R, class Column>
void slices(Count count, const std::int32_t* begin, const Column* column, const R* value, const R* x, R* sums) {
  constexpr int lanes = kLanes<R>;
  constexpr int vectors = kSliceRows / lanes;
  for (Count s = 0; s < count; ++s) {
    Vector<R> even[vectors] = {};
    Vector<R> odd[vectors] = {};
    Count e = begin[s];
    for (; e + 2 * kSliceRows <= begin[s + 1]; e += 2 * kSliceRows) {
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        even[v] += load(value + e + v * lanes) * gather(x, column + e + v * lanes);
        odd[v] += load(value + e + kSliceRows + v * lanes) * gather(x, column + e + kSliceRows + v * lanes);
      }
    }
    for (; e < begin[s + 1]; e += kSliceRows) {
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) even[v] += load(value + e + v * lanes) * gather(x, column + e + v * lanes);
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) store(sums + s * kSliceRows + v * lanes, even[v] + odd[v]);
  }
}

template <class R>
void fill(Kernels<R>& k) {
  k.transpose_rows = transpose_rows<R>;
  k.sparse_widest = 4 * kLanes<R> > 8 ? 4 * kLanes<R> : 8;
  k.sparse_block[0] = block_width<R, 8>;
  k.sparse_block[1] = block_width<R, 16>;
  k.sparse_block[2] = block_width<R, 32>;
  k.sparse_block[3] = block_width<R, 64>;
  k.sparse_pixels = kPixels<R>;
  k.sparse_images = images<R>;
  k.sparse_slices = slices<R, std::uint16_t>;
  k.sparse_slices_wide = slices<R, std::int32_t>;
}

}  // namespace

void fill_sparse(Kernels<float>& k) { fill(k); }
void fill_sparse(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
