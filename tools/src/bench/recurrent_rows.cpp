// One LSTM over many steps, forward and back, with deltas of its input.
#include "squall/core/ops/recurrent.hpp"

#include "bench/measure.hpp"
#include "bench/tensors.hpp"
#include "model/timing.hpp"

namespace squall::bench {

namespace {

class Lstm {
 public:
  Lstm(const BenchContext& c, const RecurrentSpec& spec)
      : t_(c.handler, 1), spec_(spec), plan_(c.handler->recurrent().plan(spec)) {
    const Index steps = spec.time, batch = spec.batch, size = spec.size;
    for (std::size_t g = 0; g < 4; ++g) {
      w_.input[g] = t_.random({size, spec.in}, 0.05);
      w_.recurrent[g] = t_.random({size, size}, 0.05);
      w_.bias[g] = t_.random({size}, 0.05);
      run_.gates[g] = t_.empty({steps, batch, size});
      gradients_.input[g] = {t_.empty({size, spec.in}), Write::Overwrite};
      gradients_.recurrent[g] = {t_.empty({size, size}), Write::Overwrite};
      gradients_.bias[g] = {t_.empty({size}), Write::Overwrite};
    }
    run_.x = t_.random({steps, batch, spec.in});
    run_.h = t_.empty({1 + steps, batch, size});
    run_.c = t_.empty({1 + steps, batch, size});
    run_.cell_output = t_.empty({steps, batch, size});
    dh_ = t_.random({steps, batch, size}, 0.1);
    deltas_.dh = t_.empty({steps, batch, size});
    deltas_.dx = {t_.empty({steps, batch, spec.in}), Write::Overwrite};
    t_.give_memory(*plan_);
    step_ = t_.handler().capture([this] {
      plan_->forward(run_, w_);
      t_.handler().memory().copy(dh_, deltas_.dh);
      plan_->backward(run_, w_, deltas_, gradients_);
    });
  }
  void step() { step_->run(); }
  bool right() {
    const HostArray h = t_.host(run_.h);
    const auto slow = t_.handler().recurrent().reference(spec_);
    t_.give_memory(*slow);
    slow->forward(run_, w_);
    return relative_difference(t_.host(run_.h), h) < 1e-4;
  }

 private:
  Tensors t_;
  RecurrentSpec spec_;
  std::unique_ptr<RecurrentPlan> plan_;
  RecurrentWeights w_;
  RecurrentRun run_;
  RecurrentDeltas deltas_;
  RecurrentGradients gradients_;
  Tensor dh_;
  std::unique_ptr<Executable> step_;
};

Benchmark row(const std::string& name, Index in, Index size, Index steps, Index batch) {
  const std::string shape = concat(in, "/", size, "/", steps, "/", batch);
  return {name,
          [=](const BenchContext& c) {
            RecurrentSpec spec;
            spec.cell = Cell::Lstm;
            spec.time = steps, spec.batch = batch, spec.in = in, spec.size = size, spec.training = true;
            const auto lstm = std::make_shared<Lstm>(c, spec);
            return BenchWork{[=] { lstm->step(); }, {}, {}, [=] { return lstm->right(); }};
          },
          {{"lstm.py",
            {"--shapes", shape, "--config", "eager"},
            {concat("lstm_", in, "_", size, "_T", steps, "_b", batch)},
            "eager,compile,cuda-graph"}}};
}

}  // namespace

void add_recurrent_rows(std::vector<Benchmark>& rows) {
  rows.push_back(row("lstm_256_T100_b32", 128, 256, 100, 32));
  rows.push_back(row("hutter_lstm_T100_b100", 205, 1008, 100, 100));
}

}  // namespace squall::bench
