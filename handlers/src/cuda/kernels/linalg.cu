// Reductions, broadcasts and gathers over matrices; products are those of a library.
#include "cuda/facets.hpp"
#include "cuda/indices.hpp"
#include "cuda/kernels/row_programs.hpp"
#include "cuda/kernels/scatter.hpp"
#include "cuda/kernels/sums.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

// out = m op v, with v for each column (column_step 1) or each row (row_step 1).
template <class R>
struct BroadcastKernel {
  const R *m, *v;
  R* out;
  Index columns, m_ld, out_ld;
  Binary op;
  bool by_row, add;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, columns);
    const R other = v[by_row ? at.rest : at.quotient];
    put(out + at.quotient * out_ld + at.rest, apply(op, m[at.quotient * m_ld + at.rest], other), add);
  }
};
template <class R>
struct OneHotKernel {
  const std::int32_t* index;
  R* out;
  FaultKey* fault;
  Index columns, ld;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, columns);
    const std::int32_t wanted = index[at.quotient];
    if (at.rest == 0 && (wanted < 0 || wanted >= columns)) report(fault, at.quotient, wanted);
    out[at.quotient * ld + at.rest] = wanted == at.rest ? R(1) : R(0);
  }
};
template <class R>
struct PickKernel {
  const R* m;
  const std::int32_t* index;
  R* out;
  FaultKey* fault;
  Index columns, ld;
  bool add;
  SQUALL_HD void operator()(Index r) const {
    const std::int32_t at = index[r];
    if (at < 0 || at >= columns) return report(fault, r, at);
    put(out + r, m[r * ld + at], add);
  }
};
template <class R>
struct GatherKernel {
  const R* m;
  const std::int32_t* index;
  R* out;
  FaultKey* fault;
  Index columns, limit, ld, out_ld;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, columns);
    const std::int32_t from = index[at.quotient];
    if (from >= 0 && from < limit)
      put(out + at.quotient * out_ld + at.rest, m[from * ld + at.rest], add);
    else if (at.rest == 0)
      report(fault, at.quotient, from);
  }
};
template <class R>
struct CopyBlockKernel {
  const R* from;
  R* to;
  Index columns, ld, to_ld;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, columns);
    put(to + at.quotient * to_ld + at.rest, from[at.quotient * ld + at.rest], add);
  }
};
template <class R>
struct RepeatKernel {
  const R* x;
  R* out;
  Index columns, times, ld;
  bool add;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, columns);
    put(out + i, x[at.quotient / times * ld + at.rest], add);
  }
};
template <class R>
struct Numbers {
  const R* x;
  SQUALL_HD double operator()(Index i) const { return static_cast<double>(x[i]); }
  SQUALL_HD double combine(double a, double b) const { return a + b; }
};
template <class R>
struct StoreTotalKernel {
  const double* total;
  R* out;
  bool add;
  SQUALL_HD void operator()(Index) const { put(out, static_cast<R>(*total), add); }
};

template <class R>
class GridLinalg final : public LinalgOps {
 public:
  explicit GridLinalg(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  void do_matmul(const ConstMatrix& a, const ConstMatrix& b, const MatrixSink& c) override {
    ctx_->multiply({a.dtype, c.to.nrows, c.to.ncols, a.ncols, a.data, b.data, a.ld, b.ld, a.transposed, b.transposed,
                    add(c), c.to.as<void>(), c.to.ld});
  }
  void do_with_row(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out) override {
    broadcast_with(op, m, v, out, true);
  }
  void do_with_column(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out) override {
    broadcast_with(op, m, v, out, false);
  }
  void do_sum_rows(const ConstMatrix& m, const Sink& out) override {
    column_sums(*ctx_, m.as<R>(), m.nrows, m.ncols, m.ld, out.to.as<R>(), out.mode == Write::Add);
  }
  void do_sum_columns(const ConstMatrix& m, const Sink& out) override {
    rows(*ctx_, m.nrows, m.ncols, RowSum<R>{m.as<R>(), out.to.as<R>(), m.ncols, m.ld, out.mode == Write::Add});
  }
  void do_sum_all(const ConstTensor& x, const Sink& out) override {
    total(*ctx_, x.elements(), Numbers<R>{x.as<R>()}, false);
    each(*ctx_, 1, StoreTotalKernel<R>{ctx_->sums(), out.to.as<R>(), out.mode == Write::Add});
  }
  void do_max_columns(const ConstMatrix& m, const Tensor& out) override {
    rows(*ctx_, m.nrows, m.ncols, RowLargest<R>{m.as<R>(), out.as<R>(), nullptr, m.ncols, m.ld});
  }
  void do_argmax_columns(const ConstMatrix& m, const Tensor& out) override {
    rows(*ctx_, m.nrows, m.ncols, RowLargest<R>{m.as<R>(), nullptr, out.as<std::int32_t>(), m.ncols, m.ld});
  }
  void do_softmax(const ConstMatrix& m, const Matrix& out) override {
    rows(*ctx_, m.nrows, m.ncols,
         RowSoftmax<R>{m.as<R>(), out.as<R>(), nullptr, nullptr, nullptr, m.ncols, m.ld, out.ld, 0});
  }
  void do_softmax_back(const ConstMatrix& y, const ConstMatrix& dy, const MatrixSink& dx) override {
    rows(*ctx_, y.nrows, y.ncols,
         RowSoftmaxBack<R>{y.as<R>(), dy.as<R>(), dx.to.as<R>(), y.ncols, y.ld, dy.ld, dx.to.ld, add(dx)});
  }
  void do_one_hot(const ConstTensor& index, const Matrix& out) override {
    FaultKey* fault = outside(*ctx_, "one_hot", "index", out.ncols);
    each(*ctx_, out.nrows * out.ncols,
         OneHotKernel<R>{index.as<std::int32_t>(), out.as<R>(), fault, out.ncols, out.ld});
    ctx_->look();
  }
  void do_pick(const ConstMatrix& m, const ConstTensor& index, const Sink& out) override {
    FaultKey* fault = outside(*ctx_, "pick", "index", m.ncols);
    each(*ctx_, m.nrows,
         PickKernel<R>{m.as<R>(), index.as<std::int32_t>(), out.to.as<R>(), fault, m.ncols, m.ld,
                       out.mode == Write::Add});
    ctx_->look();
  }
  void do_gather_rows(const ConstMatrix& m, const ConstTensor& index, const MatrixSink& out) override {
    FaultKey* fault = outside(*ctx_, "gather_rows", "index", m.nrows);
    each(*ctx_, out.to.nrows * m.ncols,
         GatherKernel<R>{m.as<R>(), index.as<std::int32_t>(), out.to.as<R>(), fault, m.ncols, m.nrows, m.ld, out.to.ld,
                         add(out)});
    ctx_->look();
  }
  void do_scatter_add_rows(const ConstMatrix& from, const ConstTensor& index, const Matrix& out) override {
    scatter_add(*ctx_, from.as<R>(), from.ld, index.as<std::int32_t>(), from.nrows, from.ncols, out.as<R>(), out.ld,
                out.nrows);
    ctx_->look();
  }
  void do_copy_block(const ConstMatrix& from, const MatrixSink& to) override {
    each(*ctx_, from.nrows * from.ncols,
         CopyBlockKernel<R>{from.as<R>(), to.to.as<R>(), from.ncols, from.ld, to.to.ld, add(to)});
  }
  void do_broadcast(const ConstMatrix& x, Index times, const Sink& out) override {
    each(*ctx_, x.nrows * times * x.ncols,
         RepeatKernel<R>{x.as<R>(), out.to.as<R>(), x.ncols, times, x.ld, out.mode == Write::Add});
  }

 private:
  static bool add(const MatrixSink& s) { return s.mode == Write::Add; }
  void broadcast_with(Binary op, const ConstMatrix& m, const ConstTensor& v, const MatrixSink& out, bool by_row) {
    each(*ctx_, m.nrows * m.ncols,
         BroadcastKernel<R>{m.as<R>(), v.as<R>(), out.to.as<R>(), m.ncols, m.ld, out.to.ld, op, by_row, add(out)});
  }
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<LinalgOps> make_linalg(ContextPtr ctx) {
  return std::make_unique<GridLinalg<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(LinalgOps, make_linalg);

}  // namespace squall::cuda::SQUALL_GRID
