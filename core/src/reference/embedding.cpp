// Looking up and pooling from products with matrices of 0 and 1: which id is which row, which id is in which bag.
#include "squall/core/ops/embedding.hpp"

#include "reference/parts.hpp"
#include "reference/reference.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/windows.hpp"

namespace squall {

namespace {

constexpr double kLow = -1e30;

class EmbeddingReference final : public EmbeddingPlan {
 public:
  EmbeddingReference(Handler& h, const EmbeddingSpec& s)
      : EmbeddingPlan(s),
        h_(h),
        names_(book({s.ids, s.vocabulary})),
        counts_(book({s.vocabulary})),
        rows_(book({s.ids, s.width})),
        own_rows_(book({s.weighted ? s.ids : 0, s.width})),
        column_(book({s.ids})),
        lower_(book({pooled() ? s.bags : 0, s.ids})),
        edges_(book({s.bags})),
        wide_(book({s.pooling == Pooling::Max ? s.bags : 0, s.ids, s.width})),
        delta_(book({s.bags, s.width})),
        member_(keep(h.dtype(), {pooled() ? s.bags : 0, s.ids})),
        sizes_(keep(h.dtype(), {s.bags})),
        place_(keep(DType::I32, {s.pooling == Pooling::Max ? s.bags : 0, s.width})) {
    if (pooled()) fixed_ = own(h, start_of_bags().view(), h.dtype());
  }
  std::string_view kind() const override { return "reference"; }
  std::size_t workspace_bytes() const override { return workspace_.bytes(); }
  std::size_t reserve_bytes() const override { return reserve_.bytes(); }
  void set_workspace(void* block) override { workspace_.set(block); }
  void set_reserve(void* block) override { reserve_.set(block); }

 protected:
  void do_forward(const EmbeddingRun& run, const Tensor& y) override {
    if (!pooled()) return h_.linalg().gather_rows(table(run), run.ids, y.reshaped({spec().ids, spec().width}));
    const Tensor out = y.reshaped({spec().bags, spec().width});
    const Tensor rows = workspace_[rows_];
    h_.linalg().gather_rows(table(run), run.ids, rows);
    find_members(run);
    if (spec().pooling == Pooling::Max) return largest(rows, out);
    h_.linalg().matmul(shares(run), rows, out);
  }

  void do_backward(const EmbeddingRun& run, const ConstTensor& dy, const Sink& dtable, const Sink& dweights) override {
    const Tensor rows = workspace_[rows_];
    if (dweights) {
      h_.linalg().matmul(ConstMatrix(reserve_[member_]).T(), dy, rows);
      h_.linalg().gather_rows(table(run), run.ids, workspace_[own_rows_]);
      h_.elementwise().binary(Binary::Multiply, rows, workspace_[own_rows_], Sink(rows));
      h_.linalg().sum_columns(rows, dweights);
    }
    if (!dtable) return;
    const Tensor names = workspace_[names_];
    h_.linalg().one_hot(run.ids, names);
    rows_delta(run, dy.reshaped({spec().outputs(), spec().width}));
    if (spec().frequency) {
      h_.linalg().sum_rows(names, Sink(workspace_[counts_]));
      h_.linalg().matmul(names, workspace_[counts_].reshaped({spec().vocabulary, 1}),
                         workspace_[column_].reshaped({spec().ids, 1}));
      h_.linalg().with_column(Binary::Divide, rows, workspace_[column_], rows);
    }
    h_.linalg().matmul(ConstMatrix(names).T(), rows, dtable.reshaped({spec().vocabulary, spec().width}));
  }

 private:
  bool pooled() const { return spec().pooling != Pooling::None; }
  int book(const Shape& shape) { return workspace_.book(h_.dtype(), shape); }
  int keep(DType dtype, const Shape& shape) { return reserve_.book(dtype, shape); }
  ConstTensor table(const EmbeddingRun& run) const { return run.table.reshaped({spec().vocabulary, spec().width}); }

  // Where equal bags start, then the numbers of the ids.
  HostArray start_of_bags() const {
    HostArray all(DType::F64, Shape{spec().bags + spec().ids});
    const Index length = spec().bags > 0 ? spec().ids / spec().bags : 0;
    for (Index b = 0; b < spec().bags; ++b) all.set_value(b, static_cast<double>(b * length));
    for (Index i = 0; i < spec().ids; ++i) all.set_value(spec().bags + i, static_cast<double>(i));
    return all;
  }
  // 1 for the ids that count.
  Tensor counting(const EmbeddingRun& run) {
    const Tensor column = workspace_[column_];
    h_.elementwise().cast(run.ids, column);
    h_.elementwise().affine(column, 1.0, -static_cast<double>(spec().padding), Sink(column));
    h_.elementwise().unary(Unary::Abs, column, Sink(column));
    h_.elementwise().clip(column, 0.0, 1.0, Sink(column));
    return column;
  }
  // member (bags, ids): 1 where the id is in the bag and counts; sizes: how many are.
  void find_members(const EmbeddingRun& run) {
    const Tensor lower = workspace_[lower_], member = reserve_[member_], edges = workspace_[edges_];
    h_.memory().copy(fixed_.tensor.slice(0, spec().bags), edges);
    if (spec().offsets) h_.elementwise().cast(run.offsets, edges);
    h_.elementwise().fill(lower, 0.5);
    h_.linalg().with_row(Binary::Add, lower, fixed_.tensor.slice(spec().bags, spec().ids), lower);
    h_.linalg().with_column(Binary::Subtract, lower, edges, lower);
    h_.elementwise().unary(Unary::Sign, lower, Sink(lower));
    h_.elementwise().clip(lower, 0.0, 1.0, Sink(lower));
    h_.memory().copy(lower, member);
    h_.elementwise().affine(lower.slice(1, spec().bags - 1), -1.0, 0.0,
                            Sink(member.slice(0, spec().bags - 1), Write::Add));
    if (spec().padding >= 0) h_.linalg().with_row(Binary::Multiply, member, counting(run), member);
    h_.linalg().sum_columns(member, Sink(reserve_[sizes_]));
  }
  // By what every row is multiplied before a bag is summed up.
  Tensor shares(const EmbeddingRun& run) {
    const Tensor shares = workspace_[lower_], edges = workspace_[edges_];
    h_.memory().copy(reserve_[member_], shares);
    if (spec().weighted) h_.linalg().with_row(Binary::Multiply, shares, run.weights, shares);
    if (spec().pooling != Pooling::Mean) return shares;
    h_.elementwise().clip(reserve_[sizes_], 1.0, -kLow, Sink(edges));
    h_.linalg().with_column(Binary::Divide, shares, edges, shares);
    return shares;
  }
  void largest(const ConstTensor& rows, const Tensor& y) {
    const Tensor wide = workspace_[wide_], out = workspace_[column_];
    for (Index b = 0; b < spec().bags; ++b) {
      h_.elementwise().affine(reserve_[member_].at(b), -kLow, kLow, Sink(out));
      h_.linalg().with_column(Binary::Add, rows, out, wide.at(b));
    }
    h_.windows().max_middle(wide, y, reserve_[place_]);
    h_.linalg().with_column(Binary::Multiply, y, filled(), y);
  }
  // 1 for bags with an id that counts.
  Tensor filled() {
    const Tensor edges = workspace_[edges_];
    h_.elementwise().clip(reserve_[sizes_], 0.0, 1.0, Sink(edges));
    return edges;
  }

  // rows: the delta of each id's row of the table.
  void rows_delta(const EmbeddingRun& run, const ConstTensor& dy) {
    const Tensor rows = workspace_[rows_];
    if (spec().pooling == Pooling::None) {
      h_.memory().copy(dy, rows);
      if (spec().padding >= 0) h_.linalg().with_column(Binary::Multiply, rows, counting(run), rows);
    } else if (spec().pooling == Pooling::Max) {
      const Tensor delta = workspace_[delta_], wide = workspace_[wide_];
      h_.linalg().with_column(Binary::Multiply, dy, filled(), delta);
      h_.windows().put_middle(delta, reserve_[place_], wide);
      h_.linalg().sum_rows(wide.reshaped({spec().bags, spec().ids * spec().width}), Sink(rows));
    } else {
      h_.linalg().matmul(ConstMatrix(shares(run)).T(), dy, rows);
    }
  }

  Handler& h_;
  Parts workspace_, reserve_;
  int names_, counts_, rows_, own_rows_, column_, lower_, edges_, wide_, delta_, member_, sizes_, place_;
  OwnedTensor fixed_;
};

}  // namespace

std::unique_ptr<EmbeddingPlan> make_embedding_reference(Handler& handler, const EmbeddingSpec& spec) {
  return std::make_unique<EmbeddingReference>(handler, spec);
}

}  // namespace squall
