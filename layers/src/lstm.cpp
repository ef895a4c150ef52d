// Lstm: long short-term memory with peepholes (Hochreiter, Schmidhuber 1997; Gers, Schmidhuber 2000).
#include "common/recurrent.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class Lstm final : public LayerOf<Lstm, RecurrentOptions> {
 public:
  static constexpr std::string_view kType = "Lstm";
  static constexpr std::string_view kDoc =
      "Long short-term memory with peepholes: gates i, f (which see the cell a step ago) and o (which sees it now); "
      "W* (units, inputs), R* (units, units), p* (1, units), b* (units) for z, i, f, o.";

  void declare(Declare& d) override { units_.declare(d, options, LstmUnits::Kind::Plain); }
  void prepare(Prepare& p) const override { units_.prepare(p); }
  void forward(Forward& f) const override { units_.forward(f); }
  void backward(Backward& b) const override { units_.backward(b); }

 private:
  LstmUnits units_;
};

void register_lstm(Catalog& catalog) { catalog.of<Layer>().add<Lstm>(); }

}  // namespace squall
