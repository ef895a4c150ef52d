// LstmOpt: an LSTM without peepholes whose gates lie in one tensor, as early brainstorm had it.
#include "common/recurrent.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class LstmOpt final : public LayerOf<LstmOpt, RecurrentOptions> {
 public:
  static constexpr std::string_view kType = "LstmOpt";
  static constexpr std::string_view kDoc =
      "Long short-term memory without peepholes: W (4 units, inputs), R (4 units, units), b (4 units), rows in the "
      "order z, i, f, o.";

  void declare(Declare& d) override { units_.declare(d, options, LstmUnits::Kind::Fused); }
  void prepare(Prepare& p) const override { units_.prepare(p); }
  void forward(Forward& f) const override { units_.forward(f); }
  void backward(Backward& b) const override { units_.backward(b); }

 private:
  LstmUnits units_;
};

void register_lstm_opt(Catalog& catalog) { catalog.of<Layer>().add<LstmOpt>(); }

}  // namespace squall
