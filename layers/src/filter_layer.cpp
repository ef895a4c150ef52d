// FilterLayer: a switch. It is a state, so it can be turned while a network lives and is saved with the model.
#include "squall/core/catalog.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

struct FilterLayerOptions {
  bool is_on = true;
  static constexpr auto fields = std::tuple{
      field("is_on", &FilterLayerOptions::is_on, "false: only zeros come out until the state 'is_on' is set to 1")};
};

class FilterLayer final : public LayerOf<FilterLayer, FilterLayerOptions> {
 public:
  static constexpr std::string_view kType = "FilterLayer";
  static constexpr std::string_view kDoc =
      "Hands its input on while the state 'is_on' is 1; zeros come out, and nothing goes back, while it is 0.";

  void declare(Declare& d) override {
    x_ = d.input("default", "...");
    y_ = d.output("default", d.like(x_));
    on_ = d.state("is_on", Shape{1}, options.is_on ? 1.0 : 0.0);
  }
  void forward(Forward& f) const override { pass(f.handler(), f[x_], f[on_], Sink(f[y_])); }
  void backward(Backward& b) const override { pass(b.handler(), b.delta(y_), b[on_], b.delta(x_)); }

 private:
  static void pass(Handler& h, const ConstTensor& from, const ConstTensor& on, const Sink& to) {
    if (!to) return;
    const Shape column{from.elements(), 1};
    h.linalg().with_row(Binary::Multiply, from.reshaped(column), on, to.reshaped(column));
  }
  In x_;
  Out y_;
  State on_;
};

void register_filter_layer(Catalog& catalog) { catalog.of<Layer>().add<FilterLayer>(); }

}  // namespace squall
