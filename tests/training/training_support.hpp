// What the tests of training share: a catalog with everything, small networks and small data.
#pragma once

#include <functional>

#include "squall/core/network.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/hooks/hooks.hpp"
#include "squall/layers/layers.hpp"
#include "squall/training/iterators.hpp"
#include "squall/training/trainer.hpp"
#include "squall/training/training.hpp"
#include "support/catch.hpp"
#include "support/handlers_under_test.hpp"

namespace training_test {

using namespace squall;

inline Catalog make_catalog() {
  Catalog c;
  register_layers(c);
  register_training(c);
  register_hooks(c);
  return c;
}
inline const Catalog& catalog() {
  static const Catalog c = make_catalog();
  return c;
}

template <class Base>
std::unique_ptr<Base> make(const json& j) {
  return catalog().of<Base>().make(j, "test", catalog());
}
inline std::unique_ptr<Stepper> stepper(const json& j) { return std::make_unique<Stepper>(make<UpdateRule>(j)); }

// What ConfigError says, or "" when there is none.
inline std::string complaint(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}
inline bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// inputs -> hidden (tanh) -> classes -> SoftmaxCE -> Loss
inline Architecture classifier(Index inputs, Index hidden, Index classes, double dropout = 0) {
  Architecture a;
  a.input({{"default", {"T", "B", inputs}}, {"targets", {"T", "B", 1}}});
  Port p = a["Input.default"] >> a.add("Hid", "FullyConnected", {{"size", hidden}, {"activation", "tanh"}});
  if (dropout > 0) p = p >> a.add("Drop", "Dropout", {{"drop_prob", dropout}});
  p >> a.add("Out", "FullyConnected", {{"size", classes}, {"activation", "linear"}}) >> a.add("Criterion", "SoftmaxCE");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

// inputs -> outputs, linear, half the squared error
inline Architecture regressor(Index inputs, Index outputs) {
  Architecture a;
  a.input({{"default", {"T", "B", inputs}}, {"targets", {"T", "B", outputs}}});
  a["Input.default"] >> a.add("Out", "FullyConnected", {{"size", outputs}, {"activation", "linear"}}) >>
      a.add("Criterion", "SquaredError");
  a["Input.targets"] >> a["Criterion.targets"];
  a["Criterion.loss"] >> a.add("Loss", "Loss");
  return a;
}

struct Net {
  Net(const Architecture& a, const std::string& handler = "cpu:f64", const NetworkOptions& options = {})
      : network(a, catalog(), squall::test::make_under_test(handler), options) {
    network.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.5}}}}, 7);
  }
  Network network;
};

inline std::shared_ptr<DataSource> source(std::vector<std::pair<std::string, HostArray>> fields,
                                          bool sequences = false) {
  auto s = std::make_shared<DataSource>();
  s->fields = std::move(fields);
  s->sequences = sequences;
  return s;
}

// Points around `classes` centres.
inline std::shared_ptr<DataSource> blobs(Index examples, Index inputs, Index classes, std::uint64_t seed) {
  Rng rng(seed, "blobs");
  std::vector<double> x;
  std::vector<std::int32_t> y;
  for (Index i = 0; i < examples; ++i) {
    y.push_back(static_cast<std::int32_t>(i % classes));
    for (Index k = 0; k < inputs; ++k) x.push_back((k % classes == i % classes ? 1.0 : 0.0) + 0.4 * rng.normal());
  }
  return source(
      {{"default", HostArray::of(Shape{examples, inputs}, x)}, {"targets", HostArray::of(Shape{examples, 1}, y)}});
}

inline std::vector<double> parameters(const Network& n) { return n.get("parameters").doubles(); }

// Every rule that learns, with the options that change what it computes or how much it keeps.
inline std::vector<json> every_rule() {
  return {{{"@type", "Sgd"}},
          {{"@type", "Sgd"}, {"weight_decay", 0.1}},
          {{"@type", "Sgd"}, {"momentum", 0.9}, {"dampening", 0.2}, {"weight_decay", 0.1}},
          {{"@type", "Sgd"}, {"momentum", 0.9}, {"nesterov", true}},
          {{"@type", "Momentum"}, {"momentum", 0.9}},
          {{"@type", "Nesterov"}, {"momentum", 0.9}},
          {{"@type", "Adam"}},
          {{"@type", "Adam"}, {"amsgrad", true}, {"weight_decay", 0.1}},
          {{"@type", "AdamW"}, {"weight_decay", 0.1}},
          {{"@type", "AdaMax"}, {"weight_decay", 0.1}},
          {{"@type", "NAdam"}, {"weight_decay", 0.1}, {"decoupled", true}},
          {{"@type", "RAdam"}, {"weight_decay", 0.1}, {"decoupled", true}},
          {{"@type", "RmsProp"}, {"weight_decay", 0.1}},
          {{"@type", "RmsProp"}, {"momentum", 0.9}},
          {{"@type", "RmsProp"}, {"centered", true}},
          {{"@type", "RmsProp"}, {"centered", true}, {"momentum", 0.9}},
          {{"@type", "AdaGrad"}, {"initial_sum", 0.1}, {"weight_decay", 0.1}},
          {{"@type", "AdaDelta"}, {"weight_decay", 0.1}},
          {{"@type", "RProp"}},
          {{"@type", "Asgd"}, {"start", 1}, {"weight_decay", 0.1}}};
}

// A hook made of a function; keeps nothing.
struct CallOptions : HookOptions {
  static constexpr auto fields = hook_fields<CallOptions>();
};
class Call final : public HookOf<Call, CallOptions> {
 public:
  static constexpr std::string_view kType = "Call";
  explicit Call(std::string name, std::function<Verdict(Trainer&, const Progress&)> f,
                Timescale timescale = Timescale::Epoch, Index interval = 1, HookStage stage = HookStage::Measure)
      : f_(std::move(f)), stage_(stage) {
    options.name = std::move(name);
    options.timescale = timescale;
    options.interval = interval;
  }
  HookStage stage() const override { return stage_; }
  Verdict run(Trainer& trainer, const Progress& progress) override { return f_(trainer, progress); }

 private:
  std::function<Verdict(Trainer&, const Progress&)> f_;
  HookStage stage_;
};
inline std::unique_ptr<Hook> logs(const std::string& path, std::vector<double> values) {
  return std::make_unique<Call>("log " + path, [=](Trainer& t, const Progress& p) {
    if (p.epoch < static_cast<Index>(values.size())) t.log(path, values[static_cast<std::size_t>(p.epoch)]);
    return Verdict::Continue;
  });
}

}  // namespace training_test
