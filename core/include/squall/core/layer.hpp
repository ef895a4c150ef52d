// What a layer is: options, and four functions that declare its buffers, choose its plans and describe the two passes.
// A layer owns nothing and never sees memory before it runs; one layer object serves every batch size.
// How to write one: docs/writing_a_layer.md and examples/custom_layer.cpp.
#pragma once

#include "squall/core/describe.hpp"

namespace squall {

class Declare;
class Prepare;
class Forward;
class Backward;

// Typed handles of a layer's buffers, made in declare(). Using one in the wrong place does not compile.
struct In {
  int index = -1;
};
struct Out {
  int index = -1;
};
struct Param {
  int index = -1;
};
struct Internal {
  int index = -1;
};
struct State {
  int index = -1;
};
template <class P>
struct PlanSlot {
  int index = -1;
};

class Layer : public Describable {
 public:
  static constexpr std::string_view kFamily = "layer";
  // Declares inputs, outputs, parameters, ...; input shapes are known here, sizes of time and batch are not.
  virtual void declare(Declare& d) = 0;
  // Chooses plans for concrete sizes.
  virtual void prepare(Prepare&) const {}
  virtual void forward(Forward& f) const = 0;
  // Deltas of outputs come in (and may be destroyed), deltas of inputs and gradients of parameters go into sinks.
  virtual void backward(Backward& b) const = 0;
};

template <class D, class Options>
using LayerOf = DescribedAs<Layer, D, Options>;

}  // namespace squall
