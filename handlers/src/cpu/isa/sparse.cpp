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

// Two rows at a time; kV vectors of kN lanes each, vector v of x at x + place(v).
template <class R, int kN, int kV, class Place>
SQUALL_ALWAYS void block_of(const RowGroups& g, const std::int32_t* offset, const R* value, const R* x,
                            const Place& place, R* y) {
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
      for (int v = 0; v < kV; ++v) a[v] += wa * load<R, kN>(xa + place(v));
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) b[v] += wb * load<R, kN>(xb + place(v));
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
  block_of<R, lanes, kWidthOfBlock / lanes>(
      g, offset, value, x, [](int v) __attribute__((always_inline)) { return v * lanes; }, y);
}

// A block of pixels: as many as registers hold of two rows, in two lines where they are enough.
constexpr int kBlockVectors = kVectorBytes == 64 ? 8 : 4;
template <class R>
constexpr int kPixelVectors = kImageLanes / kLanes<R>;
template <class R>
constexpr int kBlockPixels = kBlockVectors > kPixelVectors<R> ? kBlockVectors / kPixelVectors<R> : 1;
template <class R>
constexpr int kBlockLines = kBlockPixels<R> >= 4 ? 2 : 1;
template <class R>
constexpr int kLinePixels = kBlockPixels<R> / kBlockLines<R>;

// Where vector v of a block is.
template <class R>
SQUALL_ALWAYS Count place_in_block(int v, Count stride, Count line) {
  const int pixel = v / kPixelVectors<R>;
  return pixel / kLinePixels<R> * line + pixel % kLinePixels<R> * stride + v % kPixelVectors<R> * kLanes<R>;
}
template <class R>
void images(const RowGroups& g, const std::int32_t* offset, const R* value, const R* x, Count stride, Count line,
            R* y) {
  constexpr int vectors = kBlockPixels<R> * kPixelVectors<R>;
  if (stride == kImageLanes) {
    const auto side_by_side = [line](int v) __attribute__((always_inline)) {
      return place_in_block<R>(v, kImageLanes, line);
    };
    block_of<R, kLanes<R>, vectors>(g, offset, value, x, side_by_side, y);
    return;
  }
  const auto apart = [ stride, line ](int v) __attribute__((always_inline)) {
    return place_in_block<R>(v, stride, line);
  };
  block_of<R, kLanes<R>, vectors>(g, offset, value, x, apart, y);
}

// The products of x[offset[i]] with a for even and b for odd entries, `there` of them.
template <class R, int kN, int kV>
SQUALL_ALWAYS Vector<R, kN> products_of(int there, const std::int32_t* offset, const R* x, const Vector<R, kN>* a,
                                        const Vector<R, kN>* b) {
  Vector<R, kN> sums[kN];
#pragma GCC unroll 16
  for (int i = 0; i < kN; ++i) {
    sums[i] = Vector<R, kN>{};
    if (i >= there) continue;
    const R* from = x + offset[i];
    const Vector<R, kN>* row = i % 2 == 0 ? a : b;
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) sums[i] += row[v] * load<R, kN>(from + v * kN);
  }
  return sums_of_each<R, kN>(sums);
}
template <class R, int kWidthOfBlock, bool kAdd>
void sample_block(const RowGroups& g, const std::int32_t* offset, const R* x, const R* dy, Count dy_ld, R* sums) {
  constexpr int lanes = kWidthOfBlock < kLanes<R> ? kWidthOfBlock : kLanes<R>;
  constexpr int vectors = kWidthOfBlock / lanes;
  for (Count pair = 0; pair < g.pairs; ++pair) {
    const R* first = dy + Count{g.row[2 * pair]} * dy_ld;
    const R* second = dy + Count{g.row[2 * pair + 1]} * dy_ld;
    Vector<R, lanes> a[vectors];
    Vector<R, lanes> b[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      a[v] = load<R, lanes>(first + v * lanes);
      b[v] = load<R, lanes>(second + v * lanes);
    }
    const auto put = [](R * to, Vector<R, lanes> v) __attribute__((always_inline)) {
      store<R, lanes>(to, kAdd ? load<R, lanes>(to) + v : v);
    };
    int left = 2 * g.length[pair];
    for (; left >= lanes; left -= lanes, offset += lanes, sums += lanes)
      put(sums, products_of<R, lanes, vectors>(lanes, offset, x, a, b));
    if (left == 0) continue;
    put(sums, products_of<R, lanes, vectors>(left, offset, x, a, b));
    offset += left;
    sums += left;
  }
}

template <class R>
void sample_images(const RowGroups& g, const std::int32_t* offset, const R* x, Count x_line, const R* dy, Count dy_ld,
                   Count dy_line, R* sums) {
  constexpr int lanes = kLanes<R>;
  constexpr int vectors = kBlockPixels<R> * kPixelVectors<R>;
  for (Count pair = 0; pair < g.pairs; ++pair) {
    Vector<R> row[2][vectors];
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      const R* from = dy + Count{g.row[2 * pair + r]} * dy_ld;
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) row[r][v] = load(from + place_in_block<R>(v, kImageLanes, dy_line));
    }
    for (std::int32_t left = g.length[pair]; left > 0; --left, offset += 2, sums += 2 * lanes) {
#pragma GCC unroll 2
      for (int r = 0; r < 2; ++r) {
        const R* from = x + offset[r];
        Vector<R> even = load(sums + r * lanes);
        Vector<R> odd = {};
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
          const Vector<R> product = row[r][v] * load(from + place_in_block<R>(v, kImageLanes, x_line));
          if (v % 2 == 0)
            even += product;
          else
            odd += product;
        }
        store(sums + r * lanes, even + odd);
      }
    }
  }
}
template <class R>
void sample_total(Count entries, const R* sums, R* totals) {
  constexpr int lanes = kLanes<R>;
  for (Count e = 0; e < entries; e += lanes) {
    Vector<R> part[lanes];
    for (int i = 0; i < lanes; ++i) part[i] = e + i < entries ? load(sums + (e + i) * lanes) : Vector<R>{};
    store(totals + e, sums_of_each<R, lanes>(part));
  }
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
  k.image_lines = kBlockLines<R>;
  k.image_pixels = kLinePixels<R>;
  k.sparse_images = images<R>;
  k.sample_block[0][0] = sample_block<R, 8, false>;
  k.sample_block[1][0] = sample_block<R, 16, false>;
  k.sample_block[2][0] = sample_block<R, 32, false>;
  k.sample_block[3][0] = sample_block<R, 64, false>;
  k.sample_block[0][1] = sample_block<R, 8, true>;
  k.sample_block[1][1] = sample_block<R, 16, true>;
  k.sample_block[2][1] = sample_block<R, 32, true>;
  k.sample_block[3][1] = sample_block<R, 64, true>;
  k.sample_lanes = kLanes<R>;
  k.sample_images = sample_images<R>;
  k.sample_total = sample_total<R>;
  k.sparse_slices = slices<R, std::uint16_t>;
  k.sparse_slices_wide = slices<R, std::int32_t>;
}

}  // namespace

void fill_sparse(Kernels<float>& k) { fill(k); }
void fill_sparse(Kernels<double>& k) { fill(k); }

}  // namespace squall::cpu::SQUALL_ISA
