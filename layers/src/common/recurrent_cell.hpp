// One step of recurrent units: RNNCell, LSTMCell, GRUCell. Every row of the input is a step of its own.
#pragma once

#include "common/recurrent_direction.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct CellOptions {
  CellOptions() = default;  // no aggregate, which g++ 12 warns about in derived ones
  std::optional<Index> hidden_size;
  bool bias = true;
  static constexpr auto fields = std::tuple{field("hidden_size", &CellOptions::hidden_size, "number of units"),
                                            field("bias", &CellOptions::bias, "whether there are biases")};
};

class CellStep {
 public:
  void declare(Declare& d, DirectionWanted wanted);
  void prepare(Prepare& p) const { direction_.prepare(p, 1, p.shape(x_).elements() / direction_.wanted().in); }
  void forward(Forward& f) const;
  void backward(Backward& b) const;

 private:
  bool lstm() const { return direction_.wanted().cell == Cell::Lstm; }
  Shape states(Index rows) const { return {2, rows, direction_.wanted().units}; }
  RecurrentRun run(const Pass& pass, const ConstTensor& x) const;

  RecurrentDirection direction_;
  In x_, h0_, c0_;
  Out y_, cn_;
  bool has_h0_ = false, has_c0_ = false;
  Internal h_, c_, dy_;  // h and c: the state before, and after
};

// D has `kCell`, and `complete`, which adds to the direction what only it has.
template <class D, class Options>
class CellLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    if (!options.hidden_size || *options.hidden_size < 1)
      d.fail("option 'hidden_size' should be a positive whole number",
             options.hidden_size ? concat(", not ", *options.hidden_size) : std::string());
    DirectionWanted w;
    w.cell = D::kCell;
    w.units = *options.hidden_size;
    w.bias = options.bias;
    static_cast<const D&>(*this).complete(w);
    step_.declare(d, w);
  }
  void prepare(Prepare& p) const override { step_.prepare(p); }
  void forward(Forward& f) const override { step_.forward(f); }
  void backward(Backward& b) const override { step_.backward(b); }

 private:
  CellStep step_;
};

}  // namespace squall
