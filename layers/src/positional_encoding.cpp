// PositionalEncoding: adds sines and cosines of the place in the sequence (Vaswani et al. 2017).
#include <cmath>

#include "common/drop.hpp"
#include "common/sequences.hpp"
#include "common/uploaded.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

namespace {

// Even columns 2j: sin(place f), odd ones 2j + 1: cos(place f), f = 10000^(-2j / width).
HostArray waves(Index length, Index width) {
  HostArray table(DType::F64, Shape{length, width});
  for (Index i = 0; i < width; ++i) {
    const Index even = i - i % 2;
    const double frequency = std::pow(10000.0, -static_cast<double>(even) / static_cast<double>(width));
    for (Index place = 0; place < length; ++place) {
      const double angle = static_cast<double>(place) * frequency;
      table.set_value(place * width + i, i % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return table;
}

}  // namespace

struct PositionalEncodingOptions {
  std::optional<Index> seq_len;
  double dropout = 0.1;
  static constexpr auto fields = std::tuple{
      field("seq_len", &PositionalEncodingOptions::seq_len, "length of the longest sequence; default: any"),
      field("dropout", &PositionalEncodingOptions::dropout, "share of the sums that is dropped in training")};
};

class PositionalEncoding final : public LayerOf<PositionalEncoding, PositionalEncodingOptions> {
 public:
  static constexpr std::string_view kType = "PositionalEncoding";
  static constexpr std::string_view kDoc =
      "y = dropout(x + pe) with pe[place, 2j] = sin(place f), pe[place, 2j + 1] = cos(place f) and f = 10000^(-2j / "
      "width), for sequences (T, B, width) or (B, length, width) of any width.";

  void declare(Declare& d) override {
    require_probability(d, options.dropout);
    x_ = d.input("default", "...");
    sequences_ = Sequences::of(d, "default", x_);
    if (options.seq_len && sequences_.length > *options.seq_len)
      d.fail("input 'default' is ", d.shape(x_), ", longer than seq_len = ", *options.seq_len);
    y_ = d.output("default", d.like(x_));
    drop_.declare(d, "dropped", d.like(x_), options.dropout, 0);
    table_ = d.plan<Uploaded>();
  }
  void prepare(Prepare& p) const override {
    const Index length = SequenceSizes::of(sequences_, p.shape(x_)).length;
    if (options.seq_len && length > *options.seq_len)
      raise<ShapeError>("a sequence of ", length, " steps is longer than option 'seq_len', ", *options.seq_len);
    p.keep(table_, std::make_unique<Uploaded>(p.handler(), waves(length, sequences_.width), p.handler().dtype()));
  }
  void forward(Forward& f) const override {
    auto& ops = f.handler().linalg();
    const ConstTensor x = f[x_], table = f[table_].tensor();
    const Tensor y = f[y_];
    if (sequences_.batch_first) {
      const Index example = table.elements();
      const Shape rows{x.elements() / example, example};
      ops.with_row(Binary::Add, x.reshaped(rows), table.reshaped(Shape{example}), y.reshaped(rows));
    } else {
      for (Index t = 0; t < x.shape()[0]; ++t) ops.with_row(Binary::Add, x.at(t), table.at(t), y.at(t));
    }
    drop_.forward(f, y);
  }
  void backward(Backward& b) const override {
    const Tensor dy = b.delta(y_);
    drop_.backward(b, dy);
    b.handler().elementwise().unary(Unary::Copy, dy, b.delta(x_));
  }

 private:
  In x_;
  Out y_;
  Sequences sequences_;
  Drop drop_;
  PlanSlot<Uploaded> table_;
};

void register_positional_encoding(Catalog& catalog) { catalog.of<Layer>().add<PositionalEncoding>(); }

}  // namespace squall
