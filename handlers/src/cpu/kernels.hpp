// The table of vector kernels: one per instruction set, filled by the files in isa/. Kernels use one thread, allocate
// nothing and do not throw. This header is read by files compiled for wide vectors: it must stay free of code.
#pragma once

#include <cstdint>

#include "cpu/norm_kernels.hpp"
#include "cpu/sequence_kernels.hpp"

namespace squall::cpu {

using Count = std::int64_t;

inline constexpr int kUnaries = 9, kBinaries = 7, kActivations = 5;  // Softmax is not an element's function
inline constexpr int kUpdates = 13, kCurves = 3;

// Layout of a gather table: rows in slices of this many, their entries interleaved.
inline constexpr int kSliceRows = 16;

// Images that are computed together by sparse convolution.
inline constexpr int kImageLanes = 16;

template <class R>
struct GemmCall {
  Count m = 0, n = 0, k = 0;
  const R* a = nullptr;  // element (i, p) at a[i a_row + p a_col]; one of the two is 1
  Count a_row = 0, a_col = 0;
  const R* b = nullptr;  // element (p, j) at b[p b_row + j b_col]; one of the two is 1
  Count b_row = 0, b_col = 0;
  R* c = nullptr;
  Count ldc = 0;
  bool add = false;
};

template <class R>
struct RangeCall {  // a piece of the parameters; see UpdateRange
  Count n = 0;
  R* p = nullptr;
  const R* g = nullptr;
  R *s0 = nullptr, *s1 = nullptr, *s2 = nullptr;
  const std::uint8_t* write = nullptr;  // or null
};

// Elements that a kernel may write behind its result.
inline constexpr int kSampleSpare = 16;

struct RowGroups {  // rows of a sparse matrix inside one tile of columns, in pairs of equal (padded) length
  Count pairs = 0;
  const std::int32_t* row = nullptr;     // 2 per pair
  const std::int32_t* length = nullptr;  // per pair
};

// The taps of a window that lie inside an image; tap (z, y, x) is at origin + z plane + y line + x step and has the
// number z kernel_plane + y kernel_w + x.
struct TapRange {
  Count channels = 0, z0 = 0, z1 = 1, y0 = 0, y1 = 0, x0 = 0, x1 = 0, kernel_plane = 0, kernel_w = 0;
  Count plane = 0, line = 0, step = 0, origin = 0;
};

// Arrays of two are indexed by Write: overwrite, add. Others by the enumeration they are named after.
template <class R>
struct Kernels {
  void (*unary[kUnaries][2])(Count n, const R* x, R* out);
  void (*binary[kBinaries][2])(Count n, const R* a, const R* b, R* out);
  void (*binary_scalar[kBinaries][2])(Count n, const R* a, R b, R* out);
  void (*affine[2])(Count n, const R* x, R scale, R shift, R* out);
  void (*clip[2])(Count n, const R* x, R low, R high, R* out);
  void (*select_owner[2])(Count n, const R* x, const std::uint8_t* owner, std::uint8_t task, R* out);
  void (*activate[kActivations])(Count n, const R* x, R* y);
  void (*activate_back[kActivations][2])(Count n, const R* y, const R* dy, R* dx);
  void (*curve[kCurves])(Count n, const R* x, R* y);
  void (*curve_back[kCurves][2])(Count n, const R* x, const R* dy, R* dx);
  bool (*all_finite)(Count n, const R* x);

  // Rows. `bias` may be null.
  void (*bias_activate[kActivations])(Count rows, Count n, const R* bias, R* y, Count ld);
  void (*softmax)(Count n, const R* x, R* out);
  void (*softmax_back[2])(Count n, const R* y, const R* dy, R* dx);
  R (*softmax_ce)(Count n, const R* x, R* p);  // p = softmax(x); returns ln sum exp(x)
  void (*sigmoid_ce)(Count n, const R* x, const R* t, R* y, R* loss, R limit);
  double (*sum)(Count n, const R* x);
  double (*sum_squares)(Count n, const R* x);

  // Columns of a block of rows: sums[j] += ...
  void (*column_sums)(Count rows, Count n, const R* x, Count ld, double* sums);
  void (*column_squares)(Count rows, Count n, const R* x, const R* mean, double* sums);
  void (*column_products)(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* dy,
                          double* dy_sums, double* product_sums);
  void (*normalise)(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* gamma, const R* beta,
                    R* y);
  // dx (=, +=) scale (dy - a - (x - mean) inverse b)
  void (*normalise_back[2])(Count rows, Count n, const R* x, const R* mean, const R* inverse, const R* scale,
                            const R* a, const R* b, const R* dy, R* dx);

  // Updates; the formulas are those of core/formulas/update.hpp.
  void (*sgd)(const RangeCall<R>&, R rate);
  void (*momentum)(const RangeCall<R>&, R rate, R mu);
  void (*nesterov_ahead)(const RangeCall<R>&, R mu);
  void (*nesterov_correct)(const RangeCall<R>&, R rate);
  void (*update[kUpdates])(const RangeCall<R>&, const void* formula);  // by the order of formulas::AllUpdates
  void (*l1_decay)(Count n, const R* w, R factor, R* g);
  void (*l2_decay)(Count n, const R* w, R factor, R* g);

  // Blocks first .. first + blocks of a random stream, four elements each; `threshold` in 24 bits.
  void (*bernoulli)(std::uint64_t key, std::uint64_t step, Count first, Count blocks, std::uint32_t threshold, R* out);
  void (*bernoulli_u8)(std::uint64_t key, std::uint64_t step, Count first, Count blocks, std::uint32_t threshold,
                       std::uint8_t* out);
  void (*uniform)(std::uint64_t key, std::uint64_t step, Count first, Count blocks, double low, double high, R* out);

  // The elementary operations of max pooling: one tap against the best so far; x += value where it won.
  void (*max_first)(Count n, const R* x, std::int32_t tap, R* best, std::int32_t* place);
  void (*max_next)(Count n, const R* x, std::int32_t tap, R* best, std::int32_t* place);
  void (*put_where)(Count n, const R* value, const std::int32_t* place, std::int32_t tap, R* x);
  // The same for all taps of a window (at least one) at once.
  void (*max_window)(const TapRange&, const R* image, R* best, std::int32_t* place);
  void (*put_window)(const TapRange&, const R* value, const std::int32_t* place, R* image);

  // c (=, +=) a b. `scratch` holds gemm_scratch elements.
  void (*gemm)(const GemmCall<R>&, R* scratch);
  Count gemm_scratch;

  // out[j out_ld + i] = in[i][j] for i < rows, j < n; a null row is zeros.
  void (*transpose_rows)(Count rows, Count n, const R* const* in, R* out, Count out_ld);
  // y[row] += sum of value x[offset ..], vectors of 8, 16, 32 or 64 elements (index 0..3); offsets count elements.
  // The widest that keeps all sums in registers is sparse_widest.
  Count sparse_widest;
  void (*sparse_block[4])(const RowGroups&, const std::int32_t* offset, const R* value, const R* x, R* y);
  // The same for a block of image_lines lines of image_pixels pixels, of kImageLanes images each: pixel p of line l
  // reads at offset + l line + p stride.
  Count image_lines, image_pixels;
  void (*sparse_images)(const RowGroups&, const std::int32_t* offset, const R* value, const R* x, Count stride,
                        Count line, R* y);
  // The gradient of values: sums[entry] (=, +=) the product of x[offset ..] with the row's part of dy, over a block of
  // examples; entries in the order of `offset`, rows `dy_ld` apart. Writes up to kSampleSpare elements behind the last.
  void (*sample_block[4][2])(const RowGroups&, const std::int32_t* offset, const R* x, const R* dy, Count dy_ld,
                             R* sums);
  // The same for a block of pixels as above, lane by lane: the sums of an entry are sample_lanes elements, of which
  // sample_total makes one. Pixels of a line are side by side.
  Count sample_lanes;
  void (*sample_images)(const RowGroups&, const std::int32_t* offset, const R* x, Count x_line, const R* dy,
                        Count dy_ld, Count dy_line, R* sums);
  void (*sample_total)(Count entries, const R* sums, R* totals);
  // sums[slice row] = sum of value x[column] for each slice of kSliceRows rows; begin: slices + 1.
  void (*sparse_slices)(Count slices, const std::int32_t* begin, const std::uint16_t* column, const R* value,
                        const R* x, R* sums);
  void (*sparse_slices_wide)(Count slices, const std::int32_t* begin, const std::int32_t* column, const R* value,
                             const R* x, R* sums);

  SequenceKernels<R> sequence;
  RowNormKernels<R> row_norm;
  AttentionKernels<R> attention;
};

}  // namespace squall::cpu
