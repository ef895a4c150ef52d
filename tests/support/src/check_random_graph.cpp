#include <cmath>

#include "rig.hpp"
#include "squall/testing/random_graph.hpp"

namespace squall::testing {

namespace {

constexpr Index kTime = 2, kBatch = 4;

class Run {
 public:
  Run(std::uint64_t seed, const Catalog& catalog, const std::shared_ptr<Handler>& handler, NetworkOptions options)
      : handler_(*handler) {
    options.wants_deltas = {"Input.*"};
    network_ = std::make_unique<Network>(random_architecture(seed), catalog, handler, options);
    for (const auto& output : network_->graph().node(0).outputs)
      batch_.fields.emplace_back(
          output.name,
          random_array(output.name, Shape{kTime, kBatch}.joined(output.shape.features), CaseInput::Values::Normal, 0));
    for (const auto& node : network_->graph().nodes())
      for (const auto& p : node.parameters) {
        HostArray a = random_array(node.name + p.name, p.shape, CaseInput::Values::Normal, 0);
        for (Index i = 0; i < a.elements(); ++i) a.set_value(i, 0.5 * a.value(i) + (p.initial ? *p.initial : 0.0));
        network_->set_parameter(node.name + "." + p.name, a);
      }
  }

  double loss() {
    network_->set_random_step(3);
    network_->provide(batch_);
    network_->forward(Mode::Train);
    return network_->total_loss();
  }
  Results all() {
    Results r;
    r.emplace_back("loss", HostArray::of(Shape{1}, std::vector<double>{loss()}));
    network_->backward();
    r.emplace_back("gradients", network_->get("gradients"));
    for (const auto& field : batch_.fields)
      r.emplace_back("delta of " + field.first, network_->get("Input.output_deltas." + field.first));
    return r;
  }

  // The derivative along a direction in the space of parameters, and what backward says about it.
  std::pair<double, double> along_parameters(const HostArray& gradients, std::uint64_t number) {
    const HostArray start = network_->get("parameters");
    const HostArray direction =
        random_array(concat("direction ", number), start.shape(), CaseInput::Values::Normal, 0).cast(start.dtype());
    const auto at = [&](double step) {
      HostArray moved = start;
      for (Index i = 0; i < moved.elements(); ++i) moved.set_value(i, start.value(i) + step * direction.value(i));
      handler_.memory().upload(moved.view(), network_->parameters());
      network_->store().touch();
      return loss();
    };
    const double numeric = (at(kStep) - at(-kStep)) / (2 * kStep);
    at(0);
    return {numeric, dot(gradients, direction)};
  }
  std::pair<double, double> along_input(const HostArray& delta, std::size_t field) {
    HostArray& data = batch_.fields[field].second;
    const HostArray start = data;
    const HostArray direction = random_array("input direction", data.shape(), CaseInput::Values::Normal, 0);
    const auto at = [&](double step) {
      for (Index i = 0; i < data.elements(); ++i) data.set_value(i, start.value(i) + step * direction.value(i));
      return loss();
    };
    const double numeric = (at(kStep) - at(-kStep)) / (2 * kStep);
    data = start;
    return {numeric, dot(delta, direction)};
  }

  Network& network() { return *network_; }

 private:
  static constexpr double kStep = 1e-6;
  static double dot(const HostArray& a, const HostArray& b) {
    double sum = 0;
    for (Index i = 0; i < a.elements(); ++i) sum += a.value(i) * b.value(i);
    return sum;
  }
  Handler& handler_;
  std::unique_ptr<Network> network_;
  Batch batch_;
};

bool close(const std::pair<double, double>& slopes) {
  return std::abs(slopes.first - slopes.second) <= 1e-6 * (1 + std::abs(slopes.first));
}

}  // namespace

std::vector<std::string> check_random_graph(std::uint64_t seed, const Catalog& catalog,
                                            const std::shared_ptr<Handler>& handler) {
  std::vector<std::string> lines;
  const auto fail = [&](const auto&... parts) { lines.push_back(concat("random graph ", seed, ": ", parts...)); };
  Run run(seed, catalog, handler, {.memory = MemoryMode::Inspectable, .seed = 1});
  const Results expected = run.all();
  const auto same = [&](std::string_view what, const Results& got) {
    if (const std::string off = difference(got, expected, 0); !off.empty()) fail(what, ": ", off);
  };
  same("again", run.all());
  same("compact memory", Run(seed, catalog, handler, {.seed = 1}).all());
  Run guarded(seed, catalog, handler, {.seed = 1, .poison = true, .sentinels = true});
  same("poisoned memory", guarded.all());
  if (!guarded.network().check_sentinels()) fail("something is written beside a buffer");
  for (std::uint64_t d = 0; d < 3 && run.network().parameter_count() > 0; ++d)
    if (const auto slopes = run.along_parameters(expected[1].second, d); !close(slopes))
      fail("along direction ", d, " of the parameters: differences ", slopes.first, ", backward ", slopes.second);
  for (std::size_t field = 0; field < 2; ++field)
    if (const auto slopes = run.along_input(expected[2 + field].second, field); !close(slopes))
      fail("along ", expected[2 + field].first, ": differences ", slopes.first, ", backward ", slopes.second);
  return lines;
}

}  // namespace squall::testing
