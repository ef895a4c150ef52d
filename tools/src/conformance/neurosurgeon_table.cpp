// Temperatures, initial scores, counts of pruning, and what is refused.
#include "conformance/neurosurgeon_kinds.hpp"
#include "squall/tools/catalog.hpp"

namespace squall::conformance {

namespace {

void compare_temperatures(const H5Reader& file, Comparison& c) {
  for (const auto& name : file.children("/temperature")) {
    const std::string path = "/temperature/" + name;
    const json settings = json_attribute(file, path, "settings");
    const HostArray expected = file.read(path);
    std::vector<double> got;
    for (Index e = 0; e < expected.elements(); ++e)
      got.push_back(
          annealed_temperature(settings.at("final_temperature").get<double>(), settings.at("epochs").get<Index>(), e));
    c.tensor(path, HostArray::of(Shape{expected.elements()}, got), expected);
  }
}

// A dense layer under a mask of these options.
std::unique_ptr<Network> masked_dense(const Catalog& catalog, const std::shared_ptr<Handler>& handler,
                                      const json& mask) {
  Architecture a;
  a.input({{"x", {"B", 4}}});
  a["Input.x"] >> a.add("Layer", "Dense", {{"units", 3}, {"@masks", mask}});
  auto net = std::make_unique<Network>(a, catalog, handler);
  net->initialize(json{{"default", 0}}, 1);
  net->provide({{{"x", HostArray(handler->dtype(), Shape{2, 4})}}});
  return net;
}

void compare_initial_scores(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const Catalog catalog = make_catalog();
  const HostArray shares = file.read("/percentage"), scores = file.read("/score");
  const HostArray expected = file.read("/expected_l0_per_entry");
  for (Index i = 0; i < shares.elements(); ++i) {
    const json mask = {{"@type", "hard_concrete"}, {"mask_init_percentage", shares.value(i)}};
    const auto net = masked_dense(catalog, handler, mask);
    net->forward(Mode::Train);
    c.number(concat("score ", i), net->get("Layer.parameters.W_scores").value(0), scores.value(i));
    const auto masks = masked_parameters(*net);
    c.number(concat("expected l0 ", i), masks.at(0).mask->last_l0() / 12, expected.value(i));
  }
}

void compare_counts(const H5Reader& file, Comparison& c) {
  const Catalog catalog = make_catalog();
  const HostArray rows = file.read("/n_percentage_kept");
  for (Index r = 0; r < rows.shape()[0]; ++r) {
    const json mask = {{"@type", "magnitude_pruning"}, {"prune_percentage", rows.value(3 * r + 1)}};
    std::vector<double> values(static_cast<std::size_t>(rows.value(3 * r)));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1 + static_cast<double>((i * 7919) % values.size());
    const auto kept = catalog.of<LearnedMask>().make(mask, "", catalog)->choose(values);
    c.number(concat("kept in row ", r), static_cast<double>(std::ranges::count(kept, std::uint8_t{1})),
             rows.value(3 * r + 2));
  }
}

// One thing that is tried; throws ConfigError where it is refused.
class Attempt {
 public:
  Attempt(const json& check, const Catalog& catalog, const std::shared_ptr<Handler>& handler)
      : check_(check), catalog_(catalog), handler_(handler), arguments_(check.at("arguments_or_empty")) {
    const auto type = check.at("class").get<std::string>();
    for (const char* layer : {"Linear", "GPTConv1D", "Conv1d", "Conv2d"})
      if (type.ends_with(layer)) kind_.layer = layer;
    method_ = type.starts_with("Cont")   ? "continuous_sparsification"
              : type.starts_with("Hard") ? "hard_concrete"
                                         : "magnitude_pruning";
  }

  void run(Comparison& c) const {
    const std::string action = check_.at("action");
    if (action == "forward") return forward();
    if (action == "constructor") return void(network(check_.at("class"), arguments_));
    if (action == "temperature") {
      json arguments = arguments_.empty() ? least_arguments() : arguments_;
      set_mask_temperature(*network(check_.at("class"), arguments), check_.at("value").get<double>());
      return;
    }
    if (action != "from_layer") return c.fail("nothing is known of the action '" + action + "'");
    json mask = json::object();
    for (const auto& [key, value] : arguments_.items())
      if (key.starts_with("mask_") || key == "ablation" || key == "prune_percentage") mask[key] = value;
    json options = kind_.plain_options(arguments_);
    options["@masks"] = mask_of_method(method_, mask);
    const auto net = network(kind_.plain(), options);
    const bool masked = masked_parameters(*net).size() > 1;
    if (check_.contains("mask_bias_afterwards"))
      c.text("mask_bias afterwards", masked ? "true" : "false", check_["mask_bias_afterwards"].dump());
  }

 private:
  // The shape of an input without the batch, features last.
  json features() const {
    if (check_.contains("input_shape")) {
      json shape = check_["input_shape"];
      json out = json::array();
      for (std::size_t i = 2; i < shape.size(); ++i) out.push_back(shape[i]);
      out.push_back(shape[1]);
      return out;
    }
    if (kind_.axes() == 0) return json::array({arguments_.value("in_features", arguments_.value("nx", Index{4}))});
    json out = json::array();
    for (int i = 0; i < kind_.axes(); ++i) out.push_back(8);
    out.push_back(arguments_.value("in_channels", Index{2}));
    return out;
  }
  json least_arguments() const {
    if (kind_.layer == "Linear") return {{"out_features", 5}};
    if (kind_.layer == "GPTConv1D") return {{"nf", 5}};
    return {{"out_channels", 3}, {"kernel_size", 2}};
  }
  std::unique_ptr<Network> network(const std::string& type, const json& options) const {
    json shape = features();
    shape.insert(shape.begin(), "B");
    Architecture a;
    a.input({{"x", shape}});
    a["Input.x"] >> a.add("Layer", type, options);
    auto net = std::make_unique<Network>(a, catalog_, handler_);
    net->initialize(json{{"default", {{"@type", "Gaussian"}, {"std", 1.0}}}}, 1);
    return net;
  }
  void forward() const {
    json options = arguments_;
    options["ablation"] = check_.at("ablation");
    options["freeze_scores"] = check_.value("scores_frozen", false);
    const auto net = network(check_.at("class"), options);
    std::vector<Index> extents{2};
    for (const auto& e : features()) extents.push_back(e.get<Index>());
    net->provide({{{"x", HostArray(handler_->dtype(), Shape(std::span<const Index>(extents)))}}});
    net->forward(check_.at("training").get<bool>() ? Mode::Train : Mode::Eval);
  }

  json check_;
  const Catalog& catalog_;
  std::shared_ptr<Handler> handler_;
  json arguments_;
  MaskLayerKind kind_;
  std::string method_;
};

void compare_refusals(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const Catalog catalog = make_catalog();
  int number = 0;
  for (json check : json_attribute(file, "/", "checks")) {
    check["arguments_or_empty"] = check.value("arguments", json::object());
    std::string why;
    try {
      Attempt(check, catalog, handler).run(c);
    } catch (const ConfigError& e) {
      why = e.what();
    }
    const std::string result = why.empty() ? "accepted" : "refused";
    c.text(concat("check ", number++, " ", check.dump(), why.empty() ? "" : " (" + why + ")"), result,
           check.at("result").get<std::string>());
  }
}

}  // namespace

void replay_mask_table(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  if (file.exists("/temperature")) compare_temperatures(file, c);
  if (file.exists("/percentage")) compare_initial_scores(file, handler, c);
  if (file.exists("/n_percentage_kept")) compare_counts(file, c);
  if (file.has_attribute("/", "checks")) compare_refusals(file, handler, c);
}

}  // namespace squall::conformance
