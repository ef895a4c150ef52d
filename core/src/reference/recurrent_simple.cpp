// h = f(W x + R h + b)
#include "reference/recurrent_base.hpp"

namespace squall {

namespace {

class SimpleReference final : public RecurrentReference {
 public:
  using RecurrentReference::RecurrentReference;

 protected:
  void step_forward(const Step& s) override {
    const Tensor h = gate(s.run, 0).at(s.t);
    h_.linalg().matmul(s.h_before, ConstMatrix(s.w.recurrent[0]).T(), MatrixSink(h, Write::Add));
    elementwise().activate(spec().activation, h, h);
  }
  void step_backward(const Step& s, const Tensor& dh, const Tensor&) override {
    elementwise().activate_back(spec().activation, gate(s.run, 0).at(s.t), dh, Sink(gate_delta(0).at(s.t)));
  }
};

}  // namespace

std::unique_ptr<RecurrentPlan> make_simple_reference(Handler& handler, const RecurrentSpec& spec) {
  return std::make_unique<SimpleReference>(handler, spec);
}

}  // namespace squall
