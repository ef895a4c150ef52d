#include <cmath>

#include "bench/measure.hpp"
#include "model/timing.hpp"
#include "squall/core/network.hpp"
#include "squall/training/stepper.hpp"

namespace squall::bench {

namespace {

struct Sizes3 {
  std::vector<Index> widths;
  double dropout;
};

Architecture mlp(const Sizes3& s) {
  Architecture a;
  a.input({{"default", {"T", "B", s.widths[0]}}, {"targets", {"T", "B", 1}}});
  std::string from = "Input";
  for (std::size_t i = 1; i < s.widths.size(); ++i) {
    const bool last = i + 1 == s.widths.size();
    const std::string name = concat("Hidden_", i);
    a.add(name, "FullyConnected", {{"size", s.widths[i]}, {"activation", last ? "linear" : "rel"}});
    a.connect({from, "default", name, "default"});
    from = name;
    if (last || s.dropout == 0) continue;
    const std::string drop = concat("Dropout_", i);
    a.add(drop, "Dropout", {{"drop_prob", s.dropout}});
    a.connect({from, "default", drop, "default"});
    from = drop;
  }
  a.add("Output", "SoftmaxCE");
  a.add("Loss", "Loss");
  a.connect({from, "default", "Output", "default"});
  a.connect({"Input", "targets", "Output", "targets"});
  a.connect({"Output", "loss", "Loss", "default"});
  return a;
}

std::unique_ptr<Network> make(const BenchContext& c, const Sizes3& s, Index batch) {
  auto net = std::make_unique<Network>(mlp(s), c.catalog, c.handler);
  net->initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.05}}}}, 1);
  net->provide(random_batch(*net, batch, 1));
  return net;
}

// Training makes the loss on its one batch fall: the step does what it should.
BenchRow train_row(const BenchContext& c, const std::string& name, const Sizes3& s, Index batch) {
  BenchRow row{name, c.threads, 0, "", 0, 0, false};
  auto net = make(c, s, batch);
  Stepper stepper(c.catalog.of<UpdateRule>().make({{"@type", "Momentum"}, {"learning_rate", 0.01}, {"momentum", 0.9}},
                                                  "", c.catalog));
  stepper.start(*net);
  const PassId pass = net->pass(Mode::Train, {"Loss"});
  net->forward(net->pass(Mode::Eval));
  const double before = net->total_loss();
  Index update = 0;
  measure(
      c,
      [&] {
        stepper.step(pass, {0, update++});
      },
      {}, row);
  net->forward(net->pass(Mode::Eval));
  row.checked = std::isfinite(before) && net->total_loss() < before;
  return row;
}

BenchRow infer_row(const BenchContext& c, const std::string& name, const Sizes3& s, Index batch) {
  BenchRow row{name, c.threads, 0, "", 0, 0, false};
  auto net = make(c, s, batch);
  const PassId pass = net->pass(Mode::Eval, {"Output.predictions"});
  measure(
      c, [&] { net->forward(pass); }, {}, row);
  const int n = net->graph().find("Output");
  const HostArray p = c.handler->memory().to_host(net->output(n, net->graph().node(n).find_output("predictions")));
  double sum = 0;
  for (Index i = 0; i < p.elements(); ++i) sum += p.value(i);
  row.checked = std::abs(sum / static_cast<double>(batch) - 1) < 1e-4;  // probabilities of each example add up to 1
  return row;
}

}  // namespace

void add_mlp_rows(std::vector<Benchmark>& rows) {
  const Sizes3 large{{784, 1200, 1200, 10}, 0.5};
  const Sizes3 tiny{{16, 32, 2}, 0.5};
  for (const Index batch : {1, 32, 128}) {
    const std::string b = std::to_string(batch);
    rows.push_back(
        {"mlp_train_b" + b, [=](const BenchContext& c) { return train_row(c, "mlp_train_b" + b, large, batch); }});
    rows.push_back({"mlp_tiny_train_b" + b,
                    [=](const BenchContext& c) { return train_row(c, "mlp_tiny_train_b" + b, tiny, batch); }});
  }
  for (const Index batch : {1, 8, 32, 128}) {
    const std::string b = std::to_string(batch);
    rows.push_back(
        {"mlp_infer_b" + b, [=](const BenchContext& c) { return infer_row(c, "mlp_infer_b" + b, large, batch); }});
  }
}

}  // namespace squall::bench
