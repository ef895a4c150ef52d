// RBM: a restricted Boltzmann machine of units that are on or off, trained by contrastive divergence (Hinton 2002).
#include "common/declarations.hpp"
#include "common/drop.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct RbmOptions {
  Index size = 0, k = 1, reconstruction_steps = 10;
  bool sample_reconstruction = false;
  static constexpr auto fields =
      std::tuple{field("size", &RbmOptions::size, "number of hidden units"),
                 field("k", &RbmOptions::k, "steps from the data to the negative phase (CD-k)"),
                 field("reconstruction_steps", &RbmOptions::reconstruction_steps,
                       "steps from the data to the output 'reconstruction'"),
                 field("sample_reconstruction", &RbmOptions::sample_reconstruction,
                       "whether the reconstruction is drawn, 0 or 1; otherwise it is probabilities")};
};

class Rbm final : public LayerOf<Rbm, RbmOptions> {
 public:
  static constexpr std::string_view kType = "RBM";
  static constexpr std::string_view kDoc =
      "Restricted Boltzmann machine: default = p(h = 1 | v) = sigmoid(W v + bias), p(v = 1 | h) = sigmoid(W' h + "
      "visible_bias), free_energy = -v visible_bias - sum softplus(W v + bias). To be fed to a Loss: loss = "
      "free_energy(v) - free_energy(v'), where v' is what k steps of sampling hidden and computing visible "
      "probabilities make of v, taken as given; its gradient is contrastive divergence. 'reconstruction' is v' after "
      "reconstruction_steps.";

  void declare(Declare& d) override {
    for (const auto& [name, value] : {std::pair("size", options.size), std::pair("k", options.k),
                                      std::pair("reconstruction_steps", options.reconstruction_steps)})
      if (value < 1) d.fail("option '", name, "' should be a positive whole number, not ", value);
    v_ = d.input("default", "...");
    visible_ = d.feature_size(v_);
    const BufferShape hidden = d.like(v_, Shape{options.size}), one = d.like(v_, Shape{1});
    hidden_ = d.output("default", hidden);
    reconstruction_ = d.output("reconstruction", d.like(v_), {.takes_delta = false});
    energy_ = d.output("free_energy", one);
    loss_ = d.output("loss", one);
    W_ = d.parameter("W", Shape{options.size, visible_});
    bias_ = d.parameter("bias", Shape{options.size}, {.bias = true});
    visible_bias_ = d.parameter("visible_bias", Shape{visible_}, {.bias = true});
    positive_ = d.internal("positive", hidden);
    negative_hidden_ = d.internal("negative_hidden", hidden);
    negative_ = d.internal("negative", d.like(v_));
    before_ = d.internal("before", hidden, {.life = Life::Forward});
    sample_ = d.internal("sample", hidden, {.life = Life::Forward});
    noise_ = d.internal("noise", d.like(v_), {.life = Life::Forward});
    row_ = d.internal("row", one, {.life = Life::Forward});
    dhidden_ = d.internal("dhidden", hidden, {.life = Life::Backward});
    dvisible_ = d.internal("dvisible", d.like(v_), {.life = Life::Backward});
    drow_ = d.internal("drow", one, {.life = Life::Backward});
    d.backward_reads(v_);
  }

  void forward(Forward& f) const override {
    const ConstTensor v = visible(f[v_]);
    up(f, v, f[before_], f[positive_]);
    if (f.active(hidden_)) f.handler().elementwise().unary(Unary::Copy, f[positive_], f[hidden_]);
    if (f.active(energy_)) add_energy(f, v, 1.0, Sink(f[energy_]));
    if (f.active(loss_)) {
      add_energy(f, v, 1.0, Sink(f[loss_]));
      const Tensor made = visible(f[negative_]);
      if (!f.given(negative_)) chain(f, options.k, kNegative, made);
      up(f, made, f[before_], f[negative_hidden_]);
      add_energy(f, made, -1.0, Sink(f[loss_], Write::Add));
    }
    if (!f.active(reconstruction_)) return;
    const Tensor made = visible(f[reconstruction_]);
    chain(f, options.reconstruction_steps, kReconstruction, made);
    if (!options.sample_reconstruction) return;
    draw(f, made, kReconstruction + 2 * options.reconstruction_steps, visible(f[noise_]));
    f.handler().elementwise().unary(Unary::Copy, f[noise_], f[reconstruction_]);
  }

  void backward(Backward& b) const override {
    const Tensor dloss = b.delta(loss_), denergy = b.delta(energy_), dhidden = b.delta(hidden_);
    auto& each = b.handler().elementwise();
    const bool of_energy = dloss || denergy;
    if (dloss) each.affine(dloss, -1.0, 0.0, b[drow_]);
    if (denergy) each.affine(denergy, -1.0, 0.0, Sink(b[drow_], dloss ? Write::Add : Write::Overwrite));
    const ConstTensor v = visible(b[v_]);
    if (of_energy) weigh(b, b[positive_], b[drow_], b[dhidden_]);
    if (dhidden)
      each.activate_back(Activation::Sigmoid, b[positive_], dhidden,
                         Sink(b[dhidden_], of_energy ? Write::Add : Write::Overwrite));
    add_gradients(b, v, of_energy ? ConstTensor(b[drow_]) : ConstTensor(), Write::Overwrite);
    if (const Sink dv = visible(b.delta(v_))) {
      auto& linalg = b.handler().linalg();
      linalg.matmul(b[dhidden_], b[W_], dv);
      if (of_energy)
        linalg.matmul(vector(b[drow_]), b[visible_bias_].reshaped(Shape{1, visible_}), Sink(dv.to, Write::Add));
    }
    if (!dloss) return;
    weigh(b, b[negative_hidden_], dloss, b[dhidden_]);
    add_gradients(b, visible(b[negative_]), dloss, Write::Add);
  }

 private:
  static constexpr Index kNegative = 0, kReconstruction = 1;  // streams of the two chains: these and every second on

  template <class T>
  T visible(const T& x) const {
    return x.reshaped(Shape{x.elements() / visible_, visible_});
  }
  Sink visible(const Sink& s) const { return s ? Sink(visible(s.to), s.mode) : s; }
  template <class T>
  static T vector(const T& x) {
    return x.reshaped(Shape{x.elements(), 1});
  }
  // Hidden probabilities and what they are the sigmoid of; both may be one tensor.
  void up(const Pass& f, const ConstTensor& v, const Tensor& before, const Tensor& p) const {
    f.handler().linalg().matmul(v, ConstMatrix(f[W_]).T(), before);
    f.handler().linalg().with_row(Binary::Add, before, f[bias_], before);
    f.handler().elementwise().activate(Activation::Sigmoid, before, p);
  }
  void down(const Pass& f, const ConstTensor& h, const Tensor& p) const {
    f.handler().linalg().matmul(h, f[W_], p);
    f.handler().linalg().with_row(Binary::Add, p, f[visible_bias_], p);
    f.handler().elementwise().activate(Activation::Sigmoid, p, p);
  }
  // out = 1 with probability p, else 0.
  static void draw(const Pass& f, const ConstTensor& p, Index stream, const Tensor& out) {
    auto& each = f.handler().elementwise();
    f.handler().random().uniform(stream_of(f, static_cast<int>(stream)), 0.0, 1.0, out);
    each.binary(Binary::Subtract, p, out, out);
    each.activate(Activation::Rel, out, out);
    each.unary(Unary::Sign, out, out);
  }
  // From hidden probabilities of the data to visible ones after `steps`; the hidden units between are drawn.
  void chain(Forward& f, Index steps, Index stream, const Tensor& out) const {
    for (Index step = 0; step < steps; ++step) {
      if (step > 0) up(f, out, f[sample_], f[sample_]);
      const ConstTensor p = step > 0 ? ConstTensor(f[sample_]) : ConstTensor(f[positive_]);
      draw(f, p, stream + 2 * step, f[before_]);
      down(f, f[before_], out);
    }
  }
  // out (=, +=) sign times the free energy of v; before_ holds what v makes of the hidden units.
  void add_energy(Forward& f, const ConstTensor& v, double sign, const Sink& out) const {
    auto& linalg = f.handler().linalg();
    f.handler().elementwise().curve(Curve::SoftPlus, f[before_], f[sample_], {1.0, kNever});
    linalg.sum_columns(f[sample_], f[row_].reshaped(Shape{f[row_].elements()}));
    linalg.matmul(v, vector(f[visible_bias_]), Sink(vector(f[row_]), Write::Add));
    f.handler().elementwise().affine(f[row_], -sign, 0.0, out);
  }
  // out = m, each example times its weight.
  static void weigh(Backward& b, const ConstTensor& m, const ConstTensor& weight, const Tensor& out) {
    b.handler().linalg().with_column(Binary::Multiply, m, weight.reshaped(Shape{weight.elements()}), out);
  }
  // Gradients of dhidden_ at v, and of the visible bias with these weights of examples (none: 0).
  void add_gradients(Backward& b, const ConstTensor& v, const ConstTensor& weight, Write mode) const {
    auto& linalg = b.handler().linalg();
    const auto to = [mode](const Sink& s) { return mode == Write::Add && s ? Sink(s.to, Write::Add) : s; };
    linalg.matmul(ConstMatrix(b[dhidden_]).T(), v, to(b.gradient(W_)));
    linalg.sum_rows(b[dhidden_], to(b.gradient(bias_)));
    const Sink dvisible_bias = to(b.gradient(visible_bias_));
    if (!dvisible_bias) return;
    if (weight) {
      weigh(b, v, weight, visible(b[dvisible_]));
      linalg.sum_rows(visible(b[dvisible_]), dvisible_bias);
    } else if (dvisible_bias.mode == Write::Overwrite) {
      b.handler().elementwise().fill(dvisible_bias.to, 0.0);
    }
  }

  static constexpr double kNever = 1e30;  // softplus is never taken as a line
  Index visible_ = 0;
  In v_;
  Out hidden_, reconstruction_, energy_, loss_;
  Param W_, bias_, visible_bias_;
  Internal positive_, negative_hidden_, negative_, before_, sample_, noise_, row_, dhidden_, dvisible_, drow_;
};

void register_rbm(Catalog& catalog) { catalog.of<Layer>().add<Rbm>(); }

}  // namespace squall
