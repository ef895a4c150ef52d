#include "bench/networks.hpp"

#include <cmath>

#include "model/timing.hpp"
#include "squall/training/stepper.hpp"

namespace squall::bench {

Architecture chain(const std::vector<Index>& in_shape, const std::vector<Link>& links) {
  Architecture a;
  json shape = {"T", "B"};
  for (const Index n : in_shape) shape.push_back(n);
  a.input({{"default", shape}, {"targets", {"T", "B", 1}}});
  std::string from = "Input";
  for (const Link& link : links) {
    a.add(link.name, link.type, link.options);
    a.connect({from, "default", link.name, "default"});
    from = link.name;
  }
  a.add("Output", "SoftmaxCE");
  a.add("Loss", "Loss");
  a.connect({from, "default", "Output", "default"});
  a.connect({"Input", "targets", "Output", "targets"});
  a.connect({"Output", "loss", "Loss", "default"});
  return a;
}

Architecture mlp(const std::vector<Index>& widths, double dropout, const std::string& type) {
  std::vector<Link> links;
  const char* size = type == "FullyConnected" ? "size" : "units";
  for (std::size_t i = 1; i < widths.size(); ++i) {
    const bool last = i + 1 == widths.size();
    if (last)
      links.push_back({"Last", "FullyConnected", {{"size", widths[i]}, {"activation", "linear"}}});
    else
      links.push_back({concat("Hidden_", i), type, {{size, widths[i]}, {"activation", "rel"}}});
    if (!last && dropout > 0) links.push_back({concat("Dropout_", i), "Dropout", {{"drop_prob", dropout}}});
  }
  return chain({widths[0]}, links);
}

std::shared_ptr<Network> make_network(const BenchContext& c, const Architecture& a, Index batch) {
  auto net = std::make_shared<Network>(a, c.catalog, c.handler);
  net->initialize({{"*", {{"default", {{"@type", "Gaussian"}, {"std", 0.05}}}, {"bias", 0}}}}, 1);
  net->provide(random_batch(*net, batch, 1));
  return net;
}

BenchWork train_work(const BenchContext& c, const std::shared_ptr<Network>& net) {
  const auto stepper = std::make_shared<Stepper>(c.catalog.of<UpdateRule>().make(
      {{"@type", "Momentum"}, {"learning_rate", 0.01}, {"momentum", 0.9}}, "", c.catalog));
  stepper->start(*net);
  stepper->keep_gradients(false);
  const PassId pass = net->pass(Mode::Train, {"Loss"});
  const auto loss = [net] {
    net->forward(net->pass(Mode::Eval));
    return net->total_loss();
  };
  const double before = loss();
  const auto update = std::make_shared<Index>(0);
  // `net` goes along: the stepper has it by reference only.
  return {[stepper, pass, update, net] {
            stepper->step(pass, {0, (*update)++});
          },
          {},
          {},
          [=] { return std::isfinite(before) && loss() < before; }};
}

BenchWork infer_work(const std::shared_ptr<Network>& net, Index batch) {
  const PassId pass = net->pass(Mode::Eval, {"Output.predictions"});
  const auto right = [net, batch] {
    const int n = net->graph().find("Output");
    const HostArray p =
        net->handler().memory().to_host(net->output(n, net->graph().node(n).find_output("predictions")));
    double sum = 0;
    for (Index i = 0; i < p.elements(); ++i) sum += p.value(i);
    return std::abs(sum / static_cast<double>(batch) - 1) < 1e-4;
  };
  return {[net, pass] { net->forward(pass); }, {}, {}, right};
}

}  // namespace squall::bench
