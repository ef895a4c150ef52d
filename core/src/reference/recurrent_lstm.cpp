// c = i z + f c, h = o g(c), or a product of that with the projection.
#include "reference/recurrent_base.hpp"

namespace squall {

namespace {

enum Gate { kZ, kI, kF, kO };

class LstmReference final : public RecurrentReference {
 public:
  LstmReference(Handler& h, const RecurrentSpec& s) : RecurrentReference(h, s) {
    const Shape whole{s.time, s.batch, s.size};
    cell_output_ = keep_in_inference(whole);
    if (s.projection > 0) units_ = keep_in_inference(whole);
    if (!s.training) return;
    du_ = workspace_.book(h.dtype(), {s.batch, s.size});
    scratch_ = workspace_.book(h.dtype(), s.peepholes ? whole : Shape{s.batch, s.size});
  }

 protected:
  void step_forward(const Step& s) override {
    const Tensor c = s.run.c.at(1 + s.t);
    for (int g = kZ; g <= kO; ++g)
      h_.linalg().matmul(s.h_before, ConstMatrix(s.w.recurrent[index(g)]).T(), MatrixSink(here(s, g), Write::Add));
    elementwise().activate(spec().activation, here(s, kZ), here(s, kZ));
    for (const int g : {kI, kF}) open(s, g, s.c_before);
    elementwise().binary(Binary::Multiply, here(s, kI), here(s, kZ), Sink(c));
    elementwise().binary(Binary::Multiply, here(s, kF), s.c_before, Sink(c, Write::Add));
    open(s, kO, c);
    const Tensor out = cell_output(s);
    elementwise().activate(spec().activation, c, out);
    const Tensor h = s.run.h.at(1 + s.t);
    const Tensor u = spec().projection > 0 ? units(s.run).at(s.t) : h;
    elementwise().binary(Binary::Multiply, here(s, kO), out, Sink(u));
    if (spec().projection > 0) h_.linalg().matmul(u, ConstMatrix(s.w.projection).T(), h);
  }

  void step_backward(const Step& s, const Tensor& dh, const Tensor&) override {
    Tensor du = dh;
    if (spec().projection > 0) {
      du = workspace_[du_];
      h_.linalg().matmul(dh, s.w.projection, du);
    }
    const Tensor out = cell_output(s);
    const Tensor dcb = scratch();
    close(s, kO, du, out);
    elementwise().binary(Binary::Multiply, du, here(s, kO), Sink(dcb));
    elementwise().activate_back(spec().activation, out, dcb, Sink(dc(), Write::Add));
    through_peephole(s, kO);
    close(s, kF, dc(), s.c_before);
    close(s, kI, dc(), here(s, kZ));
    close(s, kZ, dc(), here(s, kI));
    elementwise().binary(Binary::Multiply, dc(), here(s, kF), Sink(dc()));
    through_peephole(s, kI);
    through_peephole(s, kF);
  }

  void more_gradients(const RecurrentRun& run, const Tensor& dh, const RecurrentGradients& g) override {
    if (spec().projection > 0)
      h_.linalg().matmul(ConstMatrix(dh).T(), units(run), g.projection.reshaped({spec().projection, spec().size}));
    if (!spec().peepholes) return;
    const ConstTensor seen[3] = {c_before(run), c_before(run), run.c.slice(1, spec().time)};
    for (std::size_t p = 0; p < 3; ++p) {
      if (!g.peephole[p]) continue;
      const Tensor products = workspace_[scratch_];
      elementwise().binary(Binary::Multiply, gate_delta(static_cast<int>(p) + kI), seen[p], Sink(products));
      h_.linalg().sum_rows(products, g.peephole[p]);
    }
  }

 private:
  static std::size_t index(int g) { return static_cast<std::size_t>(g); }
  Tensor here(const Step& s, int g) const { return gate(s.run, g).at(s.t); }
  Tensor cell_output(const Step& s) const { return kept(s.run.cell_output, cell_output_).at(s.t); }
  Tensor units(const RecurrentRun& run) const { return kept(run.units, units_); }
  Tensor scratch() const {
    const Tensor t = workspace_[scratch_];
    return spec().peepholes ? t.at(0) : t;
  }
  // A gate, with what it sees of the cell.
  void open(const Step& s, int g, const ConstTensor& cell) {
    const Tensor gate = here(s, g);
    if (spec().peepholes)
      h_.linalg().with_row(Binary::Multiply, cell, s.w.peephole[index(g - kI)], MatrixSink(gate, Write::Add));
    elementwise().activate(Activation::Sigmoid, gate, gate);
  }
  // Delta before the activation of a gate that was multiplied by `other`.
  void close(const Step& s, int g, const ConstTensor& delta, const ConstTensor& other) {
    const Tensor to = gate_delta(g).at(s.t);
    elementwise().binary(Binary::Multiply, delta, other, Sink(to));
    elementwise().activate_back(g == kZ ? spec().activation : Activation::Sigmoid, here(s, g), to, Sink(to));
  }
  void through_peephole(const Step& s, int g) {
    if (spec().peepholes)
      h_.linalg().with_row(Binary::Multiply, gate_delta(g).at(s.t), s.w.peephole[index(g - kI)],
                           MatrixSink(dc(), Write::Add));
  }

  int cell_output_ = -1, units_ = -1, du_ = -1, scratch_ = -1;
};

}  // namespace

std::unique_ptr<RecurrentPlan> make_lstm_reference(Handler& handler, const RecurrentSpec& spec) {
  return std::make_unique<LstmReference>(handler, spec);
}

}  // namespace squall
