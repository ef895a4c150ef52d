// One mask layer in many runs: outputs, gradients, masks and L0 of each.
#include <algorithm>

#include "conformance/given_gradient.hpp"
#include "conformance/neurosurgeon_kinds.hpp"
#include "squall/tools/catalog.hpp"

namespace squall::conformance {

namespace {

constexpr const char* kMaskKeys[] = {
    "ablation", "mask_unit", "mask_bias", "mask_init_value", "mask_init_percentage", "prune_percentage"};

bool is_mask_key(const std::string& key) {
  return std::ranges::any_of(kMaskKeys, [&](const char* known) { return key == known; });
}

// "weight" and "bias" with us.
std::string ours(const std::string& name) {
  if (name == "weight") return "W";
  if (name == "weight_scores") return "W_scores";
  return name;
}

class LayerRuns {
 public:
  LayerRuns(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c)
      : file_(file),
        handler_(handler),
        c_(c),
        kind_{file.attribute_text("/", "layer")},
        arguments_(json_attribute(file, "/", "arguments")),
        x_(arranged_input(file.read("/x"))),
        delta_(arranged_input(file.read("/dLdy"))) {
    register_given_gradient(catalog_);
    signed_ =
        file.attribute_text("/", "method") == "magnitude_pruning" && any_negative(file.read("/parameters/weight"));
  }

  void run() {
    check_start();
    for (const auto& name : file_.children("/runs")) one("/runs/" + name);
  }

 private:
  using Leading = std::vector<std::string>;
  // Features last; what stands before the features of dense layers is one axis.
  HostArray arranged_input(const HostArray& x) const {
    const int rank = x.shape().rank();
    if (kind_.axes() == 0) return x.reshaped(Shape{x.elements() / x.shape()[rank - 1], x.shape()[rank - 1]});
    return axis_to_end(batched(x) ? 1 : 0)(x);
  }
  bool batched(const HostArray& x) const { return x.shape().rank() == kind_.axes() + 2; }
  Leading leading() const { return kind_.axes() == 0 || batched(file_.read("/x")) ? Leading{"B"} : Leading{}; }
  json shape_of(const HostArray& x) const {
    json shape = leading();
    for (int i = static_cast<int>(leading().size()); i < x.shape().rank(); ++i) shape.push_back(x.shape()[i]);
    return shape;
  }
  HostArray value(const std::string& path, const std::string& name) const {
    const HostArray recorded = file_.read(path + name);
    return name.starts_with("weight") ? kind_.weights()(recorded) : recorded;
  }

  // Options of the run over those of the constructor.
  json mask_options(const json& settings) const {
    json out = json::object();
    for (const auto& [key, value] : arguments_.items())
      if (is_mask_key(key)) out[key] = value;
    for (const char* key :
         {"ablation", "use_masks", "temperature", "left_stretch", "right_stretch", "prune_percentage"})
      if (settings.contains(key)) out[key] = settings[key];
    if (signed_) out["signed_compat"] = true;
    // Gradients need a pass for training: there a mask of 0 and 1 is one whose scores rest.
    out["freeze_scores"] = settings.value("scores_frozen", false) || !settings.value("training", true);
    if (out.contains("temperature") && file_.attribute_text("/", "method") == "magnitude_pruning")
      out.erase("temperature");
    out["freeze_weights"] = false;
    return out;
  }

  std::unique_ptr<Network> network(const json& mask) const {
    Architecture a;
    a.input({{"x", shape_of(x_)}, {"dLdy", shape_of(delta_)}});
    if (file_.attribute_text("/", "built") == "from_layer") {
      json options = kind_.plain_options(arguments_);
      options["@masks"] = mask_of_method(file_.attribute_text("/", "method"), mask);
      a.add("Layer", kind_.plain(), options);
    } else {
      json options = mask;
      for (const auto& [key, value] : arguments_.items())
        if (!is_mask_key(key)) options[key] = value;
      a.add("Layer", file_.attribute_text("/", "class"), options);
    }
    a.add("Sum", "GivenGradient");
    a.connect({"Input", "x", "Layer", "default"});
    a.connect({"Layer", "default", "Sum", "default"});
    a.connect({"Input", "dLdy", "Sum", "gradient"});
    NetworkOptions options;
    options.memory = MemoryMode::Inspectable;
    options.wants_deltas = {"Input.*"};
    auto net = std::make_unique<Network>(a, catalog_, handler_, options);
    net->initialize(json{{"default", 0}}, 1);
    return net;
  }

  void check_start() {
    if (!file_.exists("/initial_scores")) return;
    const auto net = network(mask_options(json::object()));
    for (const auto& name : file_.children("/initial_scores"))
      c_.tensor("initial_scores/" + name, net->get("Layer.parameters." + ours(name + "_scores")),
                value("/initial_scores/", name));
  }

  void fill(Network& net) const {
    for (const auto& name : file_.children("/parameters"))
      net.set_parameter("Layer." + ours(name), value("/parameters/", name));
  }

  void give(Network& net, const std::string& run) const {
    for (auto& one : masked_parameters(net)) {
      const std::string name = one.name == "W" ? "weight" : one.name;
      const auto given = [&](const char* group) {
        const std::string path = run + "/" + group + "/";
        return file_.exists(path + name) ? value(path, name) : HostArray();
      };
      if (const auto noise = given("noise"); !noise.empty()) one.mask->give_noise(noise);
      if (const auto sample = given("sampled"); !sample.empty()) one.mask->give_sample(sample);
      if (const auto random = given("random"); !random.empty()) one.mask->give_random(random);
    }
  }

  void one(const std::string& run) {
    const json settings = json_attribute(file_, run, "settings");
    const json mask = mask_options(settings);
    const auto net = network(mask);
    fill(*net);
    give(*net, run);
    net->provide({{{"x", x_}, {"dLdy", delta_}}});
    net->forward(Mode::Train);
    const std::string at = run.substr(1);
    c_.tensor(at + "/y", net->get("Layer.outputs.default"), arranged_input(file_.read(run + "/y")));
    compare_masks(*net, run, settings);
    net->backward();
    c_.tensor(at + "/dLdx", net->get("Input.output_deltas.x"), arranged_input(file_.read(run + "/dLdx")));
    for (const auto& name : file_.children("/parameters")) {
      const HostArray got = net->get("Layer.gradients." + ours(name));
      const bool recorded = file_.exists(run + "/gradients/" + name);
      const HostArray zero = HostArray(got.dtype(), got.shape());
      c_.tensor(at + "/gradients/" + name, got, recorded ? value(run + "/gradients/", name) : zero);
    }
    if (file_.exists(run + "/l0_gradients")) compare_l0_gradients(run, mask, settings);
    if (file_.exists(run + "/sampled")) check_own_draw(run, mask);
    if (!settings.value("training", true)) {
      net->forward(Mode::Eval);
      c_.tensor(at + "/y in evaluation", net->get("Layer.outputs.default"), arranged_input(file_.read(run + "/y")));
    }
  }

  // Weights for each score where the original counts scores.
  double counted_as(const json& settings) const {
    if (settings.value("l0_counts", std::string()) != "scores") return 1;
    return static_cast<double>(file_.read("/parameters/weight").elements()) /
           static_cast<double>(file_.read("/parameters/weight_scores").elements());
  }

  void compare_masks(Network& net, const std::string& run, const json& settings) {
    const std::string at = run.substr(1);
    double weights = 0, all = 0;
    Index most = 0;
    for (const auto& one : masked_parameters(net)) {
      const std::string name = one.name == "W" ? "weight" : one.name;
      if (file_.exists(run + "/mask/" + name))
        c_.tensor(at + "/mask/" + name, one.mask->last_mask(), value(run + "/mask/", name));
      all += one.mask->last_l0();
      most += one.mask->max_l0();
      if (name == "weight") weights = one.mask->last_l0();
    }
    if (!settings.contains("l0") || settings["l0"].is_null()) return;
    const double recorded = settings["l0_weight"].get<double>() * counted_as(settings);
    c_.number(at + " l0_weight", weights, recorded);
    c_.number(at + " l0", all, recorded + settings["l0"].get<double>() - settings["l0_weight"].get<double>());
    c_.number(at + " max_l0", static_cast<double>(most), settings["max_l0"].get<double>());
  }

  void compare_l0_gradients(const std::string& run, json mask, const json& settings) {
    mask["l0_lambda"] = 1.0;
    const auto net = network(mask);
    fill(*net);
    give(*net, run);
    net->provide({{{"x", x_}, {"dLdy", HostArray(delta_.dtype(), delta_.shape())}}});
    net->forward(Mode::Train);
    net->backward();
    for (const auto& name : file_.children(run + "/l0_gradients")) {
      HostArray expected = value(run + "/l0_gradients/", name);
      if (name == "weight_scores")
        for (Index i = 0; i < expected.elements(); ++i) expected.set_value(i, expected.value(i) * counted_as(settings));
      c_.tensor(run.substr(1) + "/l0_gradients/" + name, net->get("Layer.gradients." + ours(name)), expected);
    }
  }

  // As many zeros as the subnetwork has weights, and of complement_sampled none inside.
  void check_own_draw(const std::string& run, const json& mask) {
    const auto net = network(mask);
    fill(*net);
    net->provide({{{"x", x_}, {"dLdy", delta_}}});
    net->forward(Mode::Eval);
    for (const auto& one : subnetwork(*net)) {
      const HostArray used = one.mask->last_mask();
      Index zeros = 0, kept = 0, inside = 0;
      for (Index i = 0; i < used.elements(); ++i) {
        zeros += used.value(i) == 0 ? 1 : 0;
        kept += one.kept.value(i) != 0 ? 1 : 0;
        inside += used.value(i) == 0 && one.kept.value(i) != 0 ? 1 : 0;
      }
      c_.number(run.substr(1) + " zeros of " + one.name, static_cast<double>(zeros), static_cast<double>(kept));
      if (mask["ablation"] == "complement_sampled")
        c_.number(run.substr(1) + " zeros inside the subnetwork", static_cast<double>(inside), 0);
    }
  }

  const H5Reader& file_;
  std::shared_ptr<Handler> handler_;
  Comparison& c_;
  Catalog catalog_ = make_catalog();
  MaskLayerKind kind_;
  json arguments_;
  HostArray x_, delta_;
  bool signed_ = false;
};

}  // namespace

json json_attribute(const H5Reader& file, const std::string& path, const std::string& name) {
  return parse_json(file.attribute_text(path, name), concat(path, " ", name));
}

bool any_negative(const HostArray& x) {
  for (Index i = 0; i < x.elements(); ++i)
    if (x.value(i) < 0) return true;
  return false;
}

json mask_of_method(const std::string& method, const json& hyperparameters) {
  json out = hyperparameters;
  out["@type"] = method;
  return out;
}

Arrange MaskLayerKind::weights() const {
  if (layer == "Linear") return [](const HostArray& x) { return x; };
  if (layer == "GPTConv1D") return [](const HostArray& x) { return x.shape().rank() == 2 ? permuted(x, {1, 0}) : x; };
  return axis_to_end(1);
}

json MaskLayerKind::plain_options(const json& a) const {
  if (layer == "Linear") return {{"units", a.at("out_features")}, {"use_bias", a.value("bias", true)}};
  if (layer == "GPTConv1D") return {{"units", a.at("nf")}};
  json out = {{"filters", a.at("out_channels")}, {"use_bias", a.value("bias", true)}, {"padding", 0}};
  for (const char* key : {"kernel_size", "padding", "stride", "dilation", "groups", "padding_mode"})
    if (a.contains(key)) out[key] = a[key];
  return out;
}

void replay_mask_layer(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  LayerRuns(file, handler, c).run();
}

}  // namespace squall::conformance
