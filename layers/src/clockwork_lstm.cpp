// ClockworkLstm: memory cells with clocks.
#include "common/recurrent.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

class ClockworkLstm final : public LayerOf<ClockworkLstm, RecurrentOptions> {
 public:
  static constexpr std::string_view kType = "ClockworkLstm";
  static constexpr std::string_view kDoc =
      "Lstm, where cell j changes only at steps that timing[j] divides; timing (units) holds periods in steps, set "
      "like "
      "a parameter and not trained.";

  void declare(Declare& d) override { units_.declare(d, options, LstmUnits::Kind::Clockwork); }
  void prepare(Prepare& p) const override { units_.prepare(p); }
  void forward(Forward& f) const override { units_.forward(f); }
  void backward(Backward& b) const override { units_.backward(b); }

 private:
  LstmUnits units_;
};

void register_clockwork_lstm(Catalog& catalog) { catalog.of<Layer>().add<ClockworkLstm>(); }

}  // namespace squall
