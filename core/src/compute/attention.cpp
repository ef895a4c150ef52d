#include "squall/core/ops/attention.hpp"

#include "compute/checks.hpp"
#include "reference/reference.hpp"

namespace squall {

namespace {

void check_spec(const AttentionSpec& s) {
  checks::extent("attention", "number of examples", s.batch);
  checks::extent("attention", "number of heads", s.heads);
  checks::extent("attention", "number of queries", s.queries);
  checks::extent("attention", "number of keys", s.keys);
  checks::extent("attention", "width of keys", s.key_dim);
  checks::extent("attention", "width of values", s.value_dim);
  SQUALL_CHECK(s.dropout >= 0 && s.dropout < 1, "attention: dropout ", s.dropout, " is not in [0, 1)");
  SQUALL_CHECK(s.open_keys >= 0 && s.open_keys <= s.keys, "attention: ", s.open_keys, " open keys of ", s.keys);
  const auto fits = [](Index extent, Index all) { return extent == 1 || extent == all; };
  SQUALL_CHECK(fits(s.mask_batch, s.batch), "attention: the mask has ", s.mask_batch, " examples, should have 1 or ",
               s.batch);
  SQUALL_CHECK(fits(s.mask_heads, s.heads), "attention: the mask has ", s.mask_heads, " heads, should have 1 or ",
               s.heads);
}

void check_rows(std::string_view op, std::string_view what, const ConstMatrix& m, Index rows, Index columns, DType t) {
  if (rows == 0 || columns == 0) return;
  SQUALL_CHECK(m.data != nullptr, op, ": ", what, " is missing");
  SQUALL_CHECK(m.dtype == t, op, ": ", what, " is ", name_of(m.dtype), ", should be ", name_of(t));
  SQUALL_CHECK(m.nrows == rows && m.ncols == columns && !m.transposed, op, ": ", what, " is ", m, ", should be ", rows,
               "x", columns);
  SQUALL_CHECK(m.ld >= columns, op, ": leading dimension ", m.ld, " of ", what, " is less than its ", columns,
               " columns");
}

void check_mask(std::string_view op, std::string_view what, const ConstTensor& mask, const Shape& wanted, DType t) {
  if (mask) checks::operand(op, what, mask, wanted, mask.dtype() == DType::U8 ? DType::U8 : t);
}

void check_run(std::string_view op, const AttentionSpec& s, const AttentionRun& r) {
  const DType t = r.y.dtype;
  check_rows(op, "q", r.q, s.batch * s.queries, s.heads * s.key_dim, t);
  check_rows(op, "k", r.k, s.batch * s.keys, s.heads * s.key_dim, t);
  check_rows(op, "v", r.v, s.batch * s.keys, s.heads * s.value_dim, t);
  check_rows(op, "y", r.y, s.batch * s.queries, s.heads * s.value_dim, t);
  check_mask(op, "mask", r.mask, s.mask_shape(), t);
  const bool first = s.padding_batch_first;
  check_mask(op, "padding", r.padding, Shape{first ? s.batch : s.masked_keys(), first ? s.masked_keys() : s.batch}, t);
  SQUALL_CHECK(s.weights || !r.weights, op, ": the plan was made without weights");
  checks::optional(op, "weights", r.weights, {s.batch * s.queries, s.weight_columns()}, t);
}

}  // namespace

RandomKey attention_stream(RandomKey key, Index example_and_head) {
  std::uint64_t x = key.key + 0x9E3779B97F4A7C15ULL * (static_cast<std::uint64_t>(example_and_head) + 1);
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return {x ^ (x >> 31), key.step};
}

void AttentionPlan::forward(const AttentionRun& run) {
  constexpr std::string_view op = "attention forward";
  check_run(op, spec_, run);
  if (spec_.batch * spec_.heads * spec_.queries == 0) return;
  do_forward(run);
  guard(op, run.y);
  guard("attention forward: weights", run.weights);
}

void AttentionPlan::backward(const AttentionRun& run, const AttentionDeltas& d) {
  constexpr std::string_view op = "attention backward";
  const AttentionSpec& s = spec_;
  const DType t = run.y.dtype;
  SQUALL_CHECK(s.training, "attention backward: the plan was made for inference");
  check_run(op, s, run);
  SQUALL_CHECK(d.dy.data != nullptr || d.dweights, op, ": there is neither dy nor dweights");
  if (d.dy.data != nullptr) check_rows(op, "dy", d.dy, s.batch * s.queries, s.heads * s.value_dim, t);
  SQUALL_CHECK(s.weights || !d.dweights, op, ": the plan was made without weights");
  checks::optional(op, "dweights", d.dweights, {s.batch * s.queries, s.weight_columns()}, t);
  const auto sink = [&](std::string_view what, const MatrixSink& m, Index rows, Index columns) {
    if (m.to.data != nullptr) check_rows(op, what, m.to, rows, columns, t);
  };
  sink("dq", d.dq, s.batch * s.queries, s.heads * s.key_dim);
  sink("dk", d.dk, s.batch * s.keys, s.heads * s.key_dim);
  sink("dv", d.dv, s.batch * s.keys, s.heads * s.value_dim);
  if (d.dq.to.data == nullptr && d.dk.to.data == nullptr && d.dv.to.data == nullptr) return;
  do_backward(run, d);
  guard("attention backward: dq", d.dq.to);
  guard("attention backward: dk", d.dk.to);
  guard("attention backward: dv", d.dv.to);
}

std::unique_ptr<AttentionPlan> AttentionOps::plan(const AttentionSpec& spec) {
  check_spec(spec);
  const bool nothing = spec.batch * spec.heads * spec.queries * spec.keys * spec.key_dim * spec.value_dim == 0;
  auto made = nothing ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<AttentionPlan> AttentionOps::reference(const AttentionSpec& spec) {
  check_spec(spec);
  auto made = make_attention_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
