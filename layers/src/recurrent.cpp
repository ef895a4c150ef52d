// Recurrent: simple units that see what they were a step ago.
#include "common/recurrent.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class Recurrent final : public LayerOf<Recurrent, RecurrentOptions> {
 public:
  static constexpr std::string_view kType = "Recurrent";
  static constexpr std::string_view kDoc =
      "y[t] = f(W x[t] + R y[t-1] + bias) with the features of x flattened; W (units, inputs), R (units, units).";

  void declare(Declare& d) override { units_.declare(d, options, false); }
  void prepare(Prepare& p) const override { units_.prepare(p); }
  void forward(Forward& f) const override { units_.forward(f); }
  void backward(Backward& b) const override { units_.backward(b); }

 private:
  SimpleUnits units_;
};

void register_recurrent(Catalog& catalog) { catalog.of<Layer>().add<Recurrent>(); }

}  // namespace squall
