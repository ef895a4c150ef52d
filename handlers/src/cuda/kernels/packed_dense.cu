// Dense layers from packed weights: products with the entries that a sparse matrix has, or with what is left of a
// matrix without its empty rows and columns. Other layers go to the library of the device, where it serves.
#include "cuda/booked.hpp"
#include "cuda/facets.hpp"
#include "cuda/kernels/sparse_matrix.hpp"

namespace squall::cuda::SQUALL_GRID {

namespace {

// A plan for packed weights: the activation is that of the kernel unless it needs whole rows.
template <class R>
class PackedDense : public DensePlan {
 public:
  PackedDense(Handler& h, const DenseSpec& s, ContextPtr ctx) : DensePlan(s), h_(h), ctx_(std::move(ctx)) {}

 protected:
  virtual void multiply(const R* x, const Finish<R>& finish) = 0;  // with the transpose of the weight
  virtual void multiply_back(const R* dz, const Finish<R>& finish) = 0;

  void do_forward(const ConstTensor& x, const WeightRef&, const ConstTensor& b, const Tensor& y) final {
    const bool softmax = spec().activation == Activation::Softmax;
    multiply(x.as<R>(),
             {b ? b.as<R>() : nullptr, y.as<R>(), spec().out, softmax ? Activation::Linear : spec().activation, false});
    const Tensor out = y.reshaped({spec().rows, spec().out});
    if (softmax) h_.linalg().softmax(out, out);
  }
  void do_backward(const ConstTensor&, const WeightRef&, const ConstTensor& y, const Tensor& dy, const Sink& dx,
                   const Sink&, const Sink& db) final {
    const Tensor dz = dy.reshaped({spec().rows, spec().out});
    const ConstTensor out = y.reshaped(dz.shape());
    if (spec().activation == Activation::Softmax)
      h_.linalg().softmax_back(out, dz, MatrixSink(dz));
    else if (spec().activation != Activation::Linear)
      h_.elementwise().activate_back(spec().activation, out, dz, Sink(dz));
    h_.linalg().sum_rows(dz, db);
    if (dx) multiply_back(dz.as<R>(), {nullptr, dx.to.as<R>(), spec().in, Activation::Linear, dx.mode == Write::Add});
  }
  Handler& h_;
  ContextPtr ctx_;
};

template <class R>
class SparseDense final : public PackedDense<R> {
 public:
  SparseDense(Handler& h, const DenseSpec& s, ContextPtr ctx)
      : PackedDense<R>(h, s, std::move(ctx)), w_(h, *s.packed, s.packed->value), back_(turned(h, *s.packed)) {
    turned_ = booked_.book(h.dtype(), Shape{std::max(w_.turned_elements(s.rows), back_.turned_elements(s.rows))});
  }
  std::string_view kind() const override { return "sparse"; }
  std::size_t workspace_bytes() const override { return booked_.bytes(); }
  void set_workspace(void* block) override { booked_.set(block); }

 protected:
  void multiply(const R* x, const Finish<R>& finish) override { run(w_, x, finish); }
  void multiply_back(const R* dz, const Finish<R>& finish) override { run(back_, dz, finish); }

 private:
  static SparseMatrix<R> turned(Handler& h, const PackedWeight& packed) {
    std::vector<std::int32_t> from;
    const SparsePattern pattern = packed.transposed(from);
    return {h, pattern, values_at(packed.value, from)};
  }
  void run(const SparseMatrix<R>& w, const R* x, const Finish<R>& finish) {
    w.multiply(*this->ctx_, this->spec().rows, x, booked_[turned_].template as<R>(), finish);
  }
  SparseMatrix<R> w_, back_;
  Booked booked_;
  int turned_ = 0;
};

// Columns of x that are kept, beside each other.
template <class R>
struct TakeKernel {
  const R* x;
  const std::int32_t* kept;
  R* to;
  Index columns, count;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, count);
    to[i] = x[at.quotient * columns + kept[at.rest]];
  }
};
// Results of what is kept to where they belong; of the others only the bias is left.
template <class R>
struct GiveKernel {
  const R* from;              // (n, count)
  const std::int32_t* place;  // of each output in it, or -1
  Finish<R> finish;
  Index count;
  SQUALL_HD void operator()(Index i) const {
    const Divided at = divide(i, finish.outputs);
    const std::int32_t spot = place[at.rest];
    finish(at.quotient, at.rest, spot < 0 ? R(0) : from[at.quotient * count + spot]);
  }
};

// The numbers of what is kept, and for each of all its place among them or -1.
struct Kept {
  explicit Kept(const std::vector<bool>& wanted) {
    for (const bool one : wanted) {
      place.push_back(one ? static_cast<std::int32_t>(number.size()) : -1);
      if (one) number.push_back(static_cast<std::int32_t>(place.size() - 1));
    }
  }
  Index count() const { return static_cast<Index>(number.size()); }
  std::vector<std::int32_t> number, place;
};
Kept kept_rows(const PackedWeight& w) {
  std::vector<bool> wanted(static_cast<std::size_t>(w.rows));
  for (std::size_t r = 0; r < wanted.size(); ++r) wanted[r] = w.row_begin[r + 1] > w.row_begin[r];
  return Kept(wanted);
}
Kept kept_columns(const PackedWeight& w) {
  std::vector<bool> wanted(static_cast<std::size_t>(w.columns));
  for (const std::int32_t c : w.column) wanted[static_cast<std::size_t>(c)] = true;
  return Kept(wanted);
}

template <class R>
class CompactDense final : public PackedDense<R> {
 public:
  CompactDense(Handler& h, const DenseSpec& s, ContextPtr ctx)
      : PackedDense<R>(h, s, std::move(ctx)), outputs_(h, kept_rows(*s.packed)), inputs_(h, kept_columns(*s.packed)) {
    w_ = Owned<float>(h, small(*s.packed), h.dtype());
    from_ = booked_.book(h.dtype(), {s.rows, std::max(outputs_.count, inputs_.count)});
    to_ = booked_.book(h.dtype(), {s.rows, std::max(outputs_.count, inputs_.count)});
  }
  std::string_view kind() const override { return "compacted"; }
  std::size_t workspace_bytes() const override { return booked_.bytes(); }
  void set_workspace(void* block) override { booked_.set(block); }

 protected:
  void multiply(const R* x, const Finish<R>& finish) override {
    run(inputs_, outputs_, x, this->spec().in, true, finish);
  }
  void multiply_back(const R* dz, const Finish<R>& finish) override {
    run(outputs_, inputs_, dz, this->spec().out, false, finish);
  }

 private:
  struct Side {
    Side(Handler& h, const Kept& kept)
        : count(kept.count()), number(h, kept.number, DType::I32), place(h, kept.place, DType::I32) {}
    Index count;
    Owned<std::int32_t> number, place;
  };
  static std::vector<float> small(const PackedWeight& w) {
    const Kept rows = kept_rows(w), columns = kept_columns(w);
    std::vector<float> out(rows.number.size() * columns.number.size());
    for (std::size_t r = 0; r < rows.number.size(); ++r) {
      const auto row = static_cast<std::size_t>(rows.number[r]);
      for (auto k = static_cast<std::size_t>(w.row_begin[row]); k < static_cast<std::size_t>(w.row_begin[row + 1]); ++k)
        out[r * columns.number.size() +
            static_cast<std::size_t>(columns.place[static_cast<std::size_t>(w.column[k])])] = w.value[k];
    }
    return out;
  }
  void run(const Side& from, const Side& to, const R* x, Index width, bool turned, const Finish<R>& finish) {
    const Index n = this->spec().rows;
    R* in = booked_[from_].template as<R>();
    R* out = booked_[to_].template as<R>();
    each(*this->ctx_, n * from.count,
         TakeKernel<R>{x, from.number.tensor.template as<std::int32_t>(), in, width, from.count});
    if (from.count > 0 && to.count > 0) {
      Product p;
      p.dtype = this->h_.dtype();
      p.m = n;
      p.n = to.count;
      p.k = from.count;
      p.a = in;
      p.b = w_.tensor.data();
      p.a_ld = from.count;
      p.b_ld = inputs_.count;
      p.b_turned = turned;
      p.c = out;
      p.c_ld = to.count;
      this->ctx_->multiply(p);
    }
    each(*this->ctx_, n * finish.outputs,
         GiveKernel<R>{out, to.place.tensor.template as<std::int32_t>(), finish, to.count});
  }

  Side outputs_, inputs_;
  Owned<float> w_;
  Booked booked_;
  int from_ = 0, to_ = 0;
};

template <class R>
class GridDense final : public DenseOps {
 public:
  explicit GridDense(ContextPtr ctx) : ctx_(std::move(ctx)) {}

 protected:
  std::unique_ptr<DensePlan> do_plan(const DenseSpec& s) override {
    if (s.packed == nullptr) return ctx_->dense(handler(), s);
    if (s.packed->format == WeightFormat::Sparse) return std::make_unique<SparseDense<R>>(handler(), s, ctx_);
    if (s.packed->format == WeightFormat::Compacted) return std::make_unique<CompactDense<R>>(handler(), s, ctx_);
    return nullptr;
  }

 private:
  ContextPtr ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<DenseOps> make_dense(ContextPtr ctx) {
  return std::make_unique<GridDense<R>>(std::move(ctx));
}
SQUALL_GRID_MAKER(DenseOps, make_dense);

}  // namespace squall::cuda::SQUALL_GRID
