#include "squall/core/ops/embedding.hpp"

#include <array>

#include "compute/checks.hpp"
#include "reference/reference.hpp"

namespace squall {

namespace {

void check_spec(const EmbeddingSpec& s) {
  checks::extent("embedding", "number of ids", s.ids);
  checks::extent("embedding", "size of the vocabulary", s.vocabulary);
  checks::extent("embedding", "width", s.width);
  checks::extent("embedding", "number of bags", s.bags);
  SQUALL_CHECK(s.padding < s.vocabulary, "embedding: padding id ", s.padding, " is not in 0..", s.vocabulary - 1);
  SQUALL_CHECK(!s.weighted || s.pooling == Pooling::Sum, "embedding: only sums have weights");
  if (s.pooling == Pooling::None) {
    SQUALL_CHECK(s.bags == 0 && !s.offsets, "embedding: bags without pooling");
  } else if (!s.offsets) {
    SQUALL_CHECK(s.bags == 0 ? s.ids == 0 : s.ids % s.bags == 0, "embedding: ", s.ids, " ids do not make ", s.bags,
                 " equal bags");
  }
}

void check_run(std::string_view op, const EmbeddingSpec& s, const EmbeddingRun& r, DType t) {
  checks::operand(op, "ids", r.ids, {s.ids}, DType::I32);
  if (s.offsets) checks::operand(op, "offsets", r.offsets, {s.bags}, DType::I32);
  if (s.weighted) checks::operand(op, "weights", r.weights, {s.ids}, t);
  checks::operand(op, "table", r.table, {s.vocabulary, s.width}, t);
}

}  // namespace

std::span<const EnumName<Pooling>> enum_names(Pooling) {
  static constexpr std::array<EnumName<Pooling>, 4> kNames{
      {{"none", Pooling::None}, {"sum", Pooling::Sum}, {"mean", Pooling::Mean}, {"max", Pooling::Max}}};
  return kNames;
}

void EmbeddingPlan::forward(const EmbeddingRun& run, const Tensor& y) {
  check_run("embedding forward", spec_, run, y.dtype());
  checks::operand("embedding forward", "y", y, {spec_.outputs(), spec_.width}, y.dtype());
  if (y.elements() == 0) return;
  do_forward(run, y);
  guard("embedding forward", y);
}

void EmbeddingPlan::backward(const EmbeddingRun& run, const ConstTensor& dy, const Sink& dtable, const Sink& dweights) {
  constexpr std::string_view op = "embedding backward";
  check_run(op, spec_, run, dy.dtype());
  checks::operand(op, "dy", dy, {spec_.outputs(), spec_.width}, dy.dtype());
  checks::optional(op, "dtable", dtable.to, {spec_.vocabulary, spec_.width}, dy.dtype());
  checks::optional(op, "dweights", dweights.to, {spec_.ids}, dy.dtype());
  SQUALL_CHECK(spec_.weighted || !dweights, op, ": the plan was made without weights");
  if (!dtable && !dweights) return;
  do_backward(run, dy, dtable, dweights);
  guard("embedding backward: dtable", dtable.to);
  guard("embedding backward: dweights", dweights.to);
}

std::unique_ptr<EmbeddingPlan> EmbeddingOps::plan(const EmbeddingSpec& spec) {
  check_spec(spec);
  auto made = spec.ids == 0 || spec.width == 0 ? nullptr : do_plan(spec);
  if (!made) return reference(spec);
  made->set_guard(op_guard());
  return made;
}

std::unique_ptr<EmbeddingPlan> EmbeddingOps::reference(const EmbeddingSpec& spec) {
  check_spec(spec);
  auto made = make_embedding_reference(handler(), spec);
  made->set_guard(op_guard());
  return made;
}

}  // namespace squall
