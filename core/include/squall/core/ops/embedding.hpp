// Rows of a table by their numbers, alone or pooled in bags.
#pragma once

#include "squall/core/enum_name.hpp"
#include "squall/core/handler.hpp"

namespace squall {

enum class Pooling : std::uint8_t { None, Sum, Mean, Max };
std::span<const EnumName<Pooling>> enum_names(Pooling);  // "none", "sum", "mean", "max"

struct EmbeddingSpec {
  Index ids = 0;  // all that are looked up
  Index vocabulary = 0, width = 0;
  Pooling pooling = Pooling::None;
  Index bags = 0;          // where pooled; all equally long unless offsets are given
  bool offsets = false;    // bag b begins at offsets[b] and ends where the next one begins
  Index padding = -1;      // this id sends no gradient to its row and does not count in a bag; -1: none
  bool frequency = false;  // the gradient of a row is divided by how often its id occurs
  bool weighted = false;   // Sum: rows are multiplied by a number for each id first

  Index outputs() const { return pooling == Pooling::None ? ids : bags; }
};

struct EmbeddingRun {
  ConstTensor ids;      // I32 (ids), 0 .. vocabulary - 1, else DataError
  ConstTensor offsets;  // I32 (bags): the first is 0, none is less than the one before, none above ids
  ConstTensor weights;  // real (ids)
  ConstTensor table;    // (vocabulary, width)
};

class EmbeddingPlan : public Plan {
 public:
  explicit EmbeddingPlan(const EmbeddingSpec& spec) : spec_(spec) {}
  const EmbeddingSpec& spec() const { return spec_; }
  // y (outputs, width); an empty bag gives 0. Of equal maxima the first wins.
  void forward(const EmbeddingRun& run, const Tensor& y);
  // After forward of the same run.
  void backward(const EmbeddingRun& run, const ConstTensor& dy, const Sink& dtable, const Sink& dweights);

 protected:
  virtual void do_forward(const EmbeddingRun&, const Tensor&) = 0;
  virtual void do_backward(const EmbeddingRun&, const ConstTensor&, const Sink&, const Sink&) = 0;

 private:
  EmbeddingSpec spec_;
};

class EmbeddingOps : public Facet {
 public:
  std::unique_ptr<EmbeddingPlan> plan(const EmbeddingSpec& spec);
  std::unique_ptr<EmbeddingPlan> reference(const EmbeddingSpec& spec);

 protected:
  virtual std::unique_ptr<EmbeddingPlan> do_plan(const EmbeddingSpec&) { return nullptr; }
};

}  // namespace squall
