// What RNN, LSTM and GRU have in common: their options and four functions.
#pragma once

#include "common/stacked_recurrent.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

struct StackOptions {
  StackOptions() = default;  // no aggregate, which g++ 12 warns about in derived ones
  std::optional<Index> hidden_size;
  Index num_layers = 1;
  bool bidirectional = false, bias = true;
  double dropout = 0;
  static constexpr auto fields = std::tuple{
      field("hidden_size", &StackOptions::hidden_size, "number of units"),
      field("num_layers", &StackOptions::num_layers, "layers on top of each other"),
      field("bidirectional", &StackOptions::bidirectional,
            "whether other units run from the end of each sequence to its beginning"),
      field("bias", &StackOptions::bias, "whether there are biases"),
      field("dropout", &StackOptions::dropout, "share of the outputs that are dropped between layers in training")};
};

// D has `kCell`, and `complete`, which adds to the first direction what only it has.
template <class D, class Options>
class StackLayer : public LayerOf<D, Options> {
 public:
  using LayerOf<D, Options>::options;

  void declare(Declare& d) override {
    StackWanted w;
    if (!options.hidden_size || *options.hidden_size < 1)
      d.fail("option 'hidden_size' should be a positive whole number",
             options.hidden_size ? concat(", not ", *options.hidden_size) : std::string());
    if (options.num_layers < 1)
      d.fail("option 'num_layers' should be a positive whole number, not ", options.num_layers);
    w.direction.cell = D::kCell;
    w.direction.units = *options.hidden_size;
    w.direction.bias = options.bias;
    w.layers = options.num_layers;
    w.bidirectional = options.bidirectional;
    w.dropout = options.dropout;
    static_cast<const D&>(*this).complete(d, w.direction);
    stack_.declare(d, w);
  }
  void prepare(Prepare& p) const override { stack_.prepare(p); }
  void forward(Forward& f) const override { stack_.forward(f); }
  void backward(Backward& b) const override { stack_.backward(b); }

 private:
  RecurrentStack stack_;
};

}  // namespace squall
