#include "common/recurrent_direction.hpp"

#include "squall/core/ops/memory.hpp"

namespace squall {

namespace {

// Where the rows of a gate of the plan are in PyTorch's stacked weights: i, f, g, o of an LSTM; r, z, n of a GRU.
Index block_of(Cell cell, int gate) {
  constexpr std::array<Index, 4> kLstm{2, 0, 1, 3};  // the plan has z, i, f, o
  return cell == Cell::Lstm ? kLstm[static_cast<std::size_t>(gate)] : gate;
}

}  // namespace

void RecurrentDirection::declare(Declare& d, const DirectionWanted& wanted, const std::string& suffix,
                                 const BufferShape& steps) {
  wanted_ = wanted;
  const Index gates = gate_count(wanted.cell);
  const Index rows = gates * wanted.units;
  input_ = d.parameter("weight_ih" + suffix, Shape{rows, wanted.in});
  recurrent_ = d.parameter("weight_hh" + suffix, Shape{rows, wanted.state()});
  if (wanted.bias) {
    input_bias_ = d.parameter("bias_ih" + suffix, Shape{rows}, {.bias = true});
    recurrent_bias_ = d.parameter("bias_hh" + suffix, Shape{rows}, {.bias = true});
  }
  if (wanted.projection > 0) projection_ = d.parameter("weight_hr" + suffix, Shape{wanted.projection, wanted.units});
  BufferShape shape = steps;
  shape.features = steps.features.with_last(wanted.units);
  if (wanted.cell != Cell::Simple)
    for (std::size_t g = 0; g < 4; ++g) gates_[g] = d.internal(concat("gate", g, suffix), shape);
  if (wanted.cell == Cell::Lstm) cell_output_ = d.internal("cell_output" + suffix, shape);
  if (wanted.projection > 0) units_ = d.internal("units" + suffix, shape);
  plan_ = d.plan<RecurrentPlan>();
}

void RecurrentDirection::prepare(Prepare& p, Index time, Index batch) const {
  RecurrentSpec spec;
  spec.cell = wanted_.cell;
  spec.time = time;
  spec.batch = batch;
  spec.in = wanted_.in;
  spec.size = wanted_.units;
  spec.projection = wanted_.projection;
  spec.activation = wanted_.activation;
  spec.bias = spec.recurrent_bias = wanted_.bias;
  spec.reverse = wanted_.reverse;
  spec.lengths = wanted_.lengths;
  spec.training = p.training();
  p.keep(plan_, p.handler().recurrent().plan(spec));
}

void RecurrentDirection::keep(const Pass& pass, RecurrentRun& run) const {
  const RecurrentSpec& spec = pass[plan_].spec();
  const Shape shape{spec.time, spec.batch, spec.size};
  if (wanted_.cell != Cell::Simple)
    for (std::size_t g = 0; g < 4; ++g) run.gates[g] = pass[gates_[g]].reshaped(shape);
  if (wanted_.cell == Cell::Lstm) run.cell_output = pass[cell_output_].reshaped(shape);
  if (wanted_.projection > 0) run.units = pass[units_].reshaped(shape);
}

RecurrentWeights RecurrentDirection::weights(const Pass& pass) const {
  RecurrentWeights w;
  for (int gate = 0; gate < gate_count(wanted_.cell); ++gate) {
    const auto g = static_cast<std::size_t>(gate);
    const Index first = block_of(wanted_.cell, gate) * wanted_.units;
    w.input[g] = pass[input_].slice(first, wanted_.units);
    w.recurrent[g] = pass[recurrent_].slice(first, wanted_.units);
    if (!wanted_.bias) continue;
    w.bias[g] = pass[input_bias_].slice(first, wanted_.units);
    w.recurrent_bias[g] = pass[recurrent_bias_].slice(first, wanted_.units);
  }
  if (wanted_.projection > 0) w.projection = pass[projection_];
  return w;
}

RecurrentGradients RecurrentDirection::gradients(const Backward& b) const {
  RecurrentGradients to;
  for (int gate = 0; gate < gate_count(wanted_.cell); ++gate) {
    const auto g = static_cast<std::size_t>(gate);
    const Index first = block_of(wanted_.cell, gate) * wanted_.units;
    const auto part = [&](Param p) {
      const Sink all = b.gradient(p);
      return all ? Sink(all.to.slice(first, wanted_.units), all.mode) : all;
    };
    to.input[g] = part(input_);
    to.recurrent[g] = part(recurrent_);
    if (!wanted_.bias) continue;
    to.bias[g] = part(input_bias_);
    to.recurrent_bias[g] = part(recurrent_bias_);
  }
  if (wanted_.projection > 0) to.projection = b.gradient(projection_);
  return to;
}

void RecurrentDirection::forward(Forward& f, RecurrentRun run) const {
  keep(f, run);
  f[plan_].forward(run, weights(f));
}

void RecurrentDirection::backward(Backward& b, RecurrentRun run, const RecurrentDeltas& d) const {
  keep(b, run);
  b[plan_].backward(run, weights(b), d, gradients(b));
}

void check_lengths(Handler& handler, const ConstTensor& lengths, Index time) {
  constexpr Index kPiece = 64;
  std::array<std::int32_t, kPiece> values;
  for (Index first = 0; first < lengths.elements(); first += kPiece) {
    const Index count = std::min(kPiece, lengths.elements() - first);
    handler.memory().download(lengths.slice(first, count), Tensor(values.data(), DType::I32, Shape{count}));
    for (Index i = 0; i < count; ++i)
      if (const auto length = values[static_cast<std::size_t>(i)]; length < 1 || length > time)
        raise<DataError>("the length of sequence ", first + i, " is ", length, ", but it should be 1 to ", time,
                         ", the number of steps");
  }
}

}  // namespace squall
