// Products, reductions, broadcasts and gathers over matrices.
#include "cpu/facets.hpp"
#include "cpu/indices.hpp"
#include "cpu/products.hpp"
#include "cpu/reduce.hpp"

namespace squall::cpu {

namespace {

constexpr Index kSlow = 8;

// Place of the first maximum; the first NaN counts as one.
template <class R>
Index first_maximum(const R* x, Index n) {
  Index best = 0;
  for (Index i = 1; i < n; ++i)
    if (x[i] > x[best] || (x[i] != x[i] && x[best] == x[best])) best = i;
  return best;
}

template <class R>
class CpuLinalg final : public LinalgOps {
 public:
  explicit CpuLinalg(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_matmul(const ConstMatrix& a, const ConstMatrix& b, const MatrixSink& c) override {
    product(*ctx_, call_of<R>(a, b, c.to.as<R>(), c.to.ld, c.mode == Write::Add));
  }
  void do_with_row(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out) override {
    const auto kernel = k().binary[at(op)][at(out.mode)];
    const R* row = v.as<R>();
    each_row(m.nrows, m.ncols, 1,
             [&](Index r) { kernel(m.ncols, m.as<R>() + r * m.ld, row, out.to.as<R>() + r * out.to.ld); });
  }
  void do_with_column(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out) override {
    const auto kernel = k().binary_scalar[at(op)][at(out.mode)];
    const R* column = v.as<R>();
    each_row(m.nrows, m.ncols, 1,
             [&](Index r) { kernel(m.ncols, m.as<R>() + r * m.ld, column[r], out.to.as<R>() + r * out.to.ld); });
  }
  void do_sum_rows(const ConstMatrix& m, const Sink& out) override {
    column_sums(*ctx_, m.nrows, m.ncols, m.as<R>(), m.ld, out.to.as<R>(), out.mode == Write::Add);
  }
  void do_sum_columns(const ConstMatrix& m, const Sink& out) override {
    R* to = out.to.as<R>();
    const bool add = out.mode == Write::Add;
    each_row(m.nrows, m.ncols, 1, [&](Index r) {
      const auto total = static_cast<R>(k().sum(m.ncols, m.as<R>() + r * m.ld));
      to[r] = add ? to[r] + total : total;
    });
  }
  void do_sum_all(const ConstTensor& x, const Sink& out) override {
    const Index n = x.elements();
    const Index chunk = std::max<Index>(16384, ceil_div(n, Context<R>::kSums));
    const Index chunks = ceil_div(n, chunk);
    const R* in = x.as<R>();
    ctx_->parallel().run(chunks, n >= kWorthElements, [&](Index c, int) {
      ctx_->sums()[c] = k().sum(std::min(chunk, n - c * chunk), in + c * chunk);
    });
    double total = 0;
    for (Index c = 0; c < chunks; ++c) total += ctx_->sums()[c];
    R* to = out.to.as<R>();
    *to = out.mode == Write::Add ? *to + static_cast<R>(total) : static_cast<R>(total);
  }
  void do_max_columns(const ConstMatrix& m, const Tensor& out) override {
    each_row(m.nrows, m.ncols, 2, [&](Index r) {
      const R* row = m.as<R>() + r * m.ld;
      out.as<R>()[r] = row[first_maximum(row, m.ncols)];
    });
  }
  void do_argmax_columns(const ConstMatrix& m, const Tensor& out) override {
    each_row(m.nrows, m.ncols, 2, [&](Index r) {
      out.as<std::int32_t>()[r] = static_cast<std::int32_t>(first_maximum(m.as<R>() + r * m.ld, m.ncols));
    });
  }
  void do_softmax(const ConstMatrix& m, const Matrix& out) override {
    each_row(m.nrows, m.ncols, kSlow,
             [&](Index r) { k().softmax(m.ncols, m.as<R>() + r * m.ld, out.as<R>() + r * out.ld); });
  }
  void do_softmax_back(const ConstMatrix& y, const ConstMatrix& dy, const MatrixSink& dx) override {
    const auto kernel = k().softmax_back[at(dx.mode)];
    each_row(y.nrows, y.ncols, 2, [&](Index r) {
      kernel(y.ncols, y.as<R>() + r * y.ld, dy.as<R>() + r * dy.ld, dx.to.as<R>() + r * dx.to.ld);
    });
  }
  void do_one_hot(const ConstTensor& index, const Matrix& out) override {
    const auto* values = checked_indices("one_hot", "index", index, out.ncols);
    each_row(out.nrows, out.ncols, 1, [&](Index r) {
      R* row = out.as<R>() + r * out.ld;
      std::fill_n(row, out.ncols, R(0));
      row[values[r]] = R(1);
    });
  }
  void do_pick(const ConstMatrix& m, const ConstTensor& index, const Sink& out) override {
    const auto* values = checked_indices("pick", "index", index, m.ncols);
    R* to = out.to.as<R>();
    for (Index r = 0; r < m.nrows; ++r) {
      const R x = m.as<R>()[r * m.ld + values[r]];
      to[r] = out.mode == Write::Add ? to[r] + x : x;
    }
  }
  void do_gather_rows(const ConstMatrix& m, const ConstTensor& index, const MatrixSink& out) override {
    const auto* values = checked_indices("gather_rows", "index", index, m.nrows);
    const auto kernel = k().unary[at(Unary::Copy)][at(out.mode)];
    each_row(out.to.nrows, out.to.ncols, 1,
             [&](Index r) { kernel(m.ncols, m.as<R>() + values[r] * m.ld, out.to.as<R>() + r * out.to.ld); });
  }
  // Two rows may go to the same place: each tile has columns of its own and takes all rows in order.
  void do_scatter_add_rows(const ConstMatrix& rows, const ConstTensor& index, const Matrix& out) override {
    const auto* values = checked_indices("scatter_add_rows", "index", index, out.nrows);
    const auto kernel = k().unary[at(Unary::Copy)][at(Write::Add)];
    constexpr Index kColumns = 64;
    const Index n = rows.ncols;
    ctx_->parallel().run(ceil_div(n, kColumns), rows.nrows * n >= kWorthElements, [&](Index tile, int) {
      const Index first = tile * kColumns;
      for (Index r = 0; r < rows.nrows; ++r)
        kernel(std::min(kColumns, n - first), rows.as<R>() + r * rows.ld + first,
               out.as<R>() + values[r] * out.ld + first);
    });
  }
  void do_copy_block(const ConstMatrix& from, const MatrixSink& to) override {
    const auto kernel = k().unary[at(Unary::Copy)][at(to.mode)];
    each_row(from.nrows, from.ncols, 1,
             [&](Index r) { kernel(from.ncols, from.as<R>() + r * from.ld, to.to.as<R>() + r * to.to.ld); });
  }
  void do_broadcast(const ConstMatrix& x, Index times, const Sink& out) override {
    const bool add = out.mode == Write::Add;
    const auto kernel = k().unary[at(Unary::Copy)][at(out.mode)];
    const R* from = x.as<R>();
    R* to = out.to.as<R>();
    if (x.ncols == 1)
      return each_row(x.nrows, times, 1, [&](Index r) {
        for (R* one = to + r * times; one != to + (r + 1) * times; ++one) *one = add ? *one + from[r] : from[r];
      });
    each_row(x.nrows * times, x.ncols, 1, [&](Index r) { kernel(x.ncols, from + r / times * x.ld, to + r * x.ncols); });
  }

 private:
  const Kernels<R>& k() const { return ctx_->kernels(); }
  // f(row) for every row, in tiles of rows that make about 16384 elements.
  template <class F>
  void each_row(Index rows, Index n, Index cost, const F& f) const {
    const Index tile_rows = std::clamp<Index>(16384 / std::max<Index>(n * cost, 1), 1, 4096);
    ctx_->parallel().run(ceil_div(rows, tile_rows), rows * n * cost >= kWorthElements, [&](Index tile, int) {
      const Index end = std::min(rows, (tile + 1) * tile_rows);
      for (Index r = tile * tile_rows; r < end; ++r) f(r);
    });
  }
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<LinalgOps> make_linalg(ContextPtr<R> ctx) {
  return std::make_unique<CpuLinalg<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(LinalgOps, make_linalg);

}  // namespace squall::cpu
