// The four gates of one matrix, each in its own way.
#include <array>

#include "initializers/sub_initializer.hpp"

namespace squall {

namespace {

struct LstmOptInitOptions {
  json input_block = 0, input_gate = 0, forget_gate = 0, output_gate = 0;
  static constexpr auto fields = std::tuple{
      field("input_block", &LstmOptInitOptions::input_block, "first quarter of the rows: a number or an initializer"),
      field("input_gate", &LstmOptInitOptions::input_gate, "second quarter"),
      field("forget_gate", &LstmOptInitOptions::forget_gate, "third quarter"),
      field("output_gate", &LstmOptInitOptions::output_gate, "last quarter")};
};

class LstmOptInit final : public DescribedAs<Initializer, LstmOptInit, LstmOptInitOptions> {
 public:
  static constexpr std::string_view kType = "LstmOptInit";
  static constexpr std::string_view kDoc = "Weights of four gates below each other, each with its own initializer.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    const std::array<const json*, 4> given{&options.input_block, &options.input_gate, &options.forget_gate,
                                           &options.output_gate};
    const std::array<const char*, 4> names{"input_block", "input_gate", "forget_gate", "output_gate"};
    for (std::size_t b = 0; b < 4; ++b) blocks_[b].resolve(*given[b], catalog, concat(where, ".", names[b]), problems);
  }
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    if (p.shape.rank() < 1 || p.shape[0] % 4 != 0) unsuited(kType, p, "four blocks of equal numbers of rows");
    ParameterContext block = p;
    block.shape = p.shape.from(1).with_front(p.shape[0] / 4);
    const std::size_t count = values.size() / 4;
    for (std::size_t b = 0; b < 4; ++b) {
      Rng own(rng.next64(), "block");  // what one block draws does not shift the others
      blocks_[b].fill(values.subspan(b * count, count), block, own);
    }
  }

 private:
  std::array<SubInitializer, 4> blocks_;
};

}  // namespace

void register_lstm_opt_init(Catalog& catalog) { catalog.of<Initializer>().add<LstmOptInit>(); }

}  // namespace squall
