// Clockwork: simple units with clocks (Koutnik, Greff, Gomez, Schmidhuber 2014).
#include "common/recurrent.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class Clockwork final : public LayerOf<Clockwork, RecurrentOptions> {
 public:
  static constexpr std::string_view kType = "Clockwork";
  static constexpr std::string_view kDoc =
      "Recurrent, where unit j changes only at steps that timing[j] divides; timing (units) holds periods in steps, "
      "set "
      "like a parameter and not trained.";

  void declare(Declare& d) override { units_.declare(d, options, true); }
  void prepare(Prepare& p) const override { units_.prepare(p); }
  void forward(Forward& f) const override { units_.forward(f); }
  void backward(Backward& b) const override { units_.backward(b); }

 private:
  SimpleUnits units_;
};

void register_clockwork(Catalog& catalog) { catalog.of<Layer>().add<Clockwork>(); }

}  // namespace squall
