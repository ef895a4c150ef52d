// h = (1 - z) n + z h with n = g(W x + b + r q), where q = R h + its own bias is what the reset multiplies.
#include "reference/recurrent_base.hpp"

namespace squall {

namespace {

enum Gate { kR, kZ, kN, kQ };

class GruReference final : public RecurrentReference {
 public:
  using RecurrentReference::RecurrentReference;

 protected:
  void step_forward(const Step& s) override {
    for (const int g : {kR, kZ}) {
      h_.linalg().matmul(s.h_before, recurrent(s, g).T(), MatrixSink(here(s, g), Write::Add));
      elementwise().activate(Activation::Sigmoid, here(s, g), here(s, g));
    }
    const Tensor q = here(s, kQ), n = here(s, kN), z = here(s, kZ);
    h_.linalg().matmul(s.h_before, recurrent(s, kN).T(), q);
    if (spec().recurrent_bias) h_.linalg().with_row(Binary::Add, q, s.w.recurrent_bias[kN], q);
    elementwise().binary(Binary::Multiply, here(s, kR), q, Sink(n, Write::Add));
    elementwise().activate(spec().activation, n, n);
    const Tensor h = s.run.h.at(1 + s.t);
    elementwise().binary(Binary::Subtract, s.h_before, n, Sink(h));
    elementwise().binary(Binary::Multiply, h, z, Sink(h));
    elementwise().binary(Binary::Add, h, n, Sink(h));
  }

  void step_backward(const Step& s, const Tensor& dh, const Tensor& flow) override {
    const Tensor dr = delta(s, kR), dz = delta(s, kZ), dn = delta(s, kN), dq = delta(s, kQ);
    const Tensor r = here(s, kR), z = here(s, kZ), n = here(s, kN);
    elementwise().binary(Binary::Multiply, dh, z, Sink(flow, Write::Add));
    elementwise().binary(Binary::Subtract, s.h_before, n, Sink(dz));
    elementwise().binary(Binary::Multiply, dz, dh, Sink(dz));
    elementwise().activate_back(Activation::Sigmoid, z, dz, Sink(dz));
    elementwise().affine(z, -1.0, 1.0, Sink(dn));
    elementwise().binary(Binary::Multiply, dn, dh, Sink(dn));
    elementwise().activate_back(spec().activation, n, dn, Sink(dn));
    elementwise().binary(Binary::Multiply, dn, here(s, kQ), Sink(dr));
    elementwise().activate_back(Activation::Sigmoid, r, dr, Sink(dr));
    elementwise().binary(Binary::Multiply, dn, r, Sink(dq));
  }

 private:
  Tensor here(const Step& s, int g) const { return gate(s.run, g).at(s.t); }
  Tensor delta(const Step& s, int g) const { return gate_delta(g).at(s.t); }
  static ConstMatrix recurrent(const Step& s, int g) { return s.w.recurrent[static_cast<std::size_t>(g)]; }
};

}  // namespace

std::unique_ptr<RecurrentPlan> make_gru_reference(Handler& handler, const RecurrentSpec& spec) {
  return std::make_unique<GruReference>(handler, spec);
}

}  // namespace squall
