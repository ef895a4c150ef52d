// Trajectories of update rules, and clipped gradients: a network whose gradients are given to it.
#include <cmath>
#include <limits>

#include "conformance/torch_training.hpp"
#include "squall/core/contexts.hpp"
#include "squall/core/network.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/training/stepper.hpp"

namespace squall::conformance {

namespace {

// One parameter per input; what comes in is its gradient. The loss is 0.
struct GivenOptions {
  Index count = 1;
  static constexpr auto fields = std::tuple{field("count", &GivenOptions::count, "number of parameters")};
};
class Given final : public LayerOf<Given, GivenOptions> {
 public:
  static constexpr std::string_view kType = "Given", kDoc = "Takes its gradients from outside.";
  void declare(Declare& d) override {
    for (Index i = 0; i < options.count; ++i) {
      gradients_.push_back(d.input(concat("g", i), "B ..."));
      parameters_.push_back(d.parameter(concat("p", i), d.features(gradients_.back())));
      d.backward_reads(gradients_.back());
    }
    loss_ = d.output("loss", d.like(gradients_[0], Shape{1}));
  }
  void forward(Forward& f) const override { f.handler().elementwise().fill(f[loss_], 0); }
  void backward(Backward& b) const override {
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (const Sink sink = b.gradient(parameters_[i]))
        b.handler().elementwise().unary(Unary::Copy, b[gradients_[i]], sink);
  }

 private:
  std::vector<In> gradients_;
  std::vector<Param> parameters_;
  Out loss_;
};

class GivenNetwork {
 public:
  GivenNetwork(const std::vector<Shape>& shapes, const std::shared_ptr<Handler>& handler)
      : shapes_(shapes), catalog_(make_catalog()) {
    catalog_.of<Layer>().add<Given>();
    Architecture a;
    json outputs = json::object();
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      json extents = {"B"};
      for (const Index e : shapes[i].extents()) extents.push_back(e);
      outputs[concat("g", i)] = extents;
    }
    a.input(outputs);
    a.add("Given", "Given", {{"count", static_cast<Index>(shapes.size())}});
    for (std::size_t i = 0; i < shapes.size(); ++i) a[concat("Input.g", i)] >> a[concat("Given.g", i)];
    a["Given.loss"] >> a.add("Loss", "Loss");
    network_ = std::make_unique<Network>(a, catalog_, handler);
    network_->initialize(0, 1);
  }
  Network& network() { return *network_; }
  const Catalog& catalog() const { return catalog_; }
  void give(const std::vector<HostArray>& gradients) {
    Batch batch;
    for (std::size_t i = 0; i < shapes_.size(); ++i)
      batch.fields.emplace_back(concat("g", i), gradients[i].reshaped(shapes_[i].with_front(1)));
    network_->provide(batch);
  }

 private:
  std::vector<Shape> shapes_;
  Catalog catalog_;
  std::unique_ptr<Network> network_;
};

// Options of PyTorch by our names; those that stand for several, or for none, come after.
json translated(const std::string& optimizer, const json& arguments) {
  static const std::vector<std::pair<std::string, std::string>> names = {{"lr", "learning_rate"},
                                                                         {"eps", "epsilon"},
                                                                         {"rho", "decay"},
                                                                         {"lr_decay", "learning_rate_decay"},
                                                                         {"lambd", "lambda"},
                                                                         {"t0", "start"},
                                                                         {"initial_accumulator_value", "initial_sum"},
                                                                         {"decoupled_weight_decay", "decoupled"}};
  json out = json::object();
  for (const auto& [key, value] : arguments.items()) {
    if (key == "maximize" || key == "foreach" || key == "capturable" || key == "differentiable" || key == "fused")
      continue;
    if (key == "decoupled_weight_decay" && optimizer != "NAdam" && optimizer != "RAdam") continue;
    if (key == "betas" || key == "etas" || key == "step_sizes") {
      const std::string first = key == "betas" ? "beta1" : key == "etas" ? "shrink" : "smallest";
      out[first] = value[0];
      out[key == "betas" ? "beta2" : key == "etas" ? "grow" : "largest"] = value[1];
      continue;
    }
    std::string name = key == "alpha" && optimizer == "RMSprop" ? "decay" : key;
    for (const auto& [theirs, ours] : names)
      if (key == theirs) name = ours;
    out[name] = value;
  }
  return out;
}

json stepper_of(const std::string& optimizer, const json& arguments, const json& groups) {
  static const std::vector<std::pair<std::string, std::string>> types = {
      {"SGD", "Sgd"},           {"Adamax", "AdaMax"}, {"RMSprop", "RmsProp"}, {"Adagrad", "AdaGrad"},
      {"Adadelta", "AdaDelta"}, {"Rprop", "RProp"},   {"ASGD", "Asgd"}};
  std::string type = optimizer;
  for (const auto& [theirs, ours] : types)
    if (optimizer == theirs) type = ours;
  if (optimizer == "Adam" && arguments.value("decoupled_weight_decay", false)) type = "AdamW";
  json stepper = {{"@type", type}};
  stepper.update(translated(optimizer, arguments));
  for (std::size_t i = 0; i < groups.size(); ++i)
    stepper["groups"][concat("Given.p", i)] = translated(optimizer, groups[i]);
  return stepper;
}

std::vector<HostArray> read_all(const H5Reader& file, const std::string& group) {
  std::vector<HostArray> out;
  for (std::size_t i = 0; file.exists(concat(group, "/", i)); ++i) out.push_back(file.read(concat(group, "/", i)));
  if (out.empty()) raise<DataError>("there is nothing in '", group, "'");
  return out;
}

std::vector<Shape> shapes_of(const std::vector<HostArray>& arrays) {
  std::vector<Shape> out;
  for (const auto& a : arrays) out.push_back(a.shape());
  return out;
}

HostArray entry_of(const HostArray& all, Index index) { return HostArray::copy_of(ConstTensor(all.view()).at(index)); }

}  // namespace

// Maximising is training the negative loss: gradients with the other sign.
void replay_optimizer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const json arguments = parse_json(file.attribute_text("/", "arguments"), "arguments");
  const json groups = parse_json(file.attribute_text("/", "groups"), "groups");
  const auto start = read_all(file, "/start"), gradients = read_all(file, "/gradients");
  const auto after = read_all(file, "/parameters");
  GivenNetwork given(shapes_of(start), handler);
  Network& network = given.network();
  for (std::size_t i = 0; i < start.size(); ++i) network.set_parameter(concat("Given.p", i), start[i]);
  Stepper stepper(given.catalog().of<UpdateRule>().make(
      stepper_of(file.attribute_text("/", "optimizer"), arguments, groups), "stepper", given.catalog()));
  stepper.start(network);
  const double sign = arguments.value("maximize", false) ? -1 : 1;
  for (Index step = 0; step < after[0].shape()[0]; ++step) {
    std::vector<HostArray> now;
    for (const auto& all : gradients) {
      now.push_back(entry_of(all, step));
      for (Index k = 0; k < now.back().elements(); ++k) now.back().set_value(k, sign * now.back().value(k));
    }
    given.give(now);
    stepper.step(network.pass(Mode::Train), {0, step});
    for (std::size_t i = 0; i < start.size(); ++i)
      c.tensor(concat("parameters/", i, " after step ", step + 1), network.get(concat("Given.parameters.p", i)),
               entry_of(after[i], step));
  }
}

void replay_clip(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const json arguments = parse_json(file.attribute_text("/", "arguments"), "arguments");
  const auto gradients = read_all(file, "/gradients"), clipped = read_all(file, "/clipped");
  GivenNetwork given(shapes_of(gradients), handler);
  Network& network = given.network();
  const bool by_norm = file.attribute_text("/", "how") == "norm";
  json modifier;
  if (by_norm) {
    modifier = {{"@type", "ClipGradientNorm"}, {"max_norm", arguments.at("max_norm")}};
    modifier["norm_type"] = arguments.value("norm_type", json(2));
  } else {
    const double bound = arguments.at("clip_value").get<double>();
    modifier = {{"@type", "ClipValues"}, {"low", -bound}, {"high", bound}};
  }
  network.set_gradient_modifiers(modifier);
  given.give(gradients);
  network.forward(Mode::Train);
  if (by_norm) {
    network.backward(false);
    const double power = modifier["norm_type"].is_number() ? modifier["norm_type"].get<double>()
                                                           : std::numeric_limits<double>::infinity();
    const double sum = handler->optim().power_sum(network.gradients(), power);
    c.number("total_norm", std::isinf(power) ? sum : std::pow(sum, 1 / power), file.attribute_real("/", "total_norm"));
    network.forward(Mode::Train);
  }
  network.backward();
  for (std::size_t i = 0; i < clipped.size(); ++i)
    c.tensor(concat("clipped/", i), network.get(concat("Given.gradients.p", i)), clipped[i]);
}

}  // namespace squall::conformance
