// Networks with named layers under masks: single passes, and training of the scores.
#include "conformance/neurosurgeon_kinds.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/tools/catalog.hpp"

namespace squall::conformance {

namespace {

// One of the three layers that can be masked.
struct Target {
  std::string name;
  Arrange weights;  // weights, scores and noise of weights in our layout
};

class MaskedNetwork {
 public:
  MaskedNetwork(const H5Reader& file, const std::shared_ptr<Handler>& handler)
      : file_(file), handler_(handler), config_(json_attribute(file, "/", "config")) {
    const HostArray x = file.read("/x");
    const Shape shape = x.shape();
    x_ = axis_to_end(1)(x);
    labels_ = file.read("/labels", DType::I32).reshaped(Shape{shape[0], 1});
    const Index channels = file.read("/parameters/conv/weight").shape()[0];
    const Shape images{channels, shape[2], shape[3]};
    targets_ = {{"conv", axis_to_end(1)},
                // Inputs are (C, H, W) there and (H, W, C) here.
                {"hidden",
                 [images](const HostArray& w) {
                   if (w.shape()[1] == 1) return w;
                   const HostArray apart = w.reshaped(Shape{w.shape()[0], images[0], images[1], images[2]});
                   return permuted(apart, {0, 2, 3, 1}).reshaped(w.shape());
                 }},
                {"out", [](const HostArray& w) {
                   return permuted(w, {1, 0});
                 }}};
  }

  const json& config() const { return config_; }

  std::unique_ptr<Network> make(const json& settings, bool training) const {
    json mask = config_.at("mask_hparams");
    for (const char* key : {"ablation", "temperature"})
      if (settings.contains(key)) mask[key] = settings[key];
    if (config_.at("mask_method") == "magnitude_pruning") mask.erase("temperature");
    const bool frozen = config_.value("freeze_base", true);
    mask["freeze_weights"] = frozen;
    mask["freeze_scores"] = !training;
    mask["l0_lambda"] = config_.value("add_l0", true) ? config_.value("l0_lambda", 1e-8) : 0.0;
    if (any_negative(file_.read("/parameters/hidden/weight")) && config_.at("mask_method") == "magnitude_pruning")
      mask["signed_compat"] = true;
    json patterns = json::object();
    for (const auto& name : config_.at("target_layers"))
      patterns[name.get<std::string>()] = mask_of_method(config_.at("mask_method").get<std::string>(), mask);
    NetworkOptions options;
    options.memory = MemoryMode::Inspectable;
    if (frozen) options.frozen = {"*"};
    auto net = std::make_unique<Network>(with_masks(architecture(), patterns, catalog_), catalog_, handler_, options);
    net->initialize(json{{"default", 0}}, 1);
    fill(*net);
    for (const auto& name : settings.value("masks_off", json::array()))
      set_use_masks(*net, false, name.get<std::string>());
    net->provide({{{"x", x_}, {"labels", labels_}}});
    return net;
  }

  HostArray arranged(const std::string& group, const std::string& layer, const std::string& name) const {
    HostArray recorded = file_.read(group + "/" + layer + "/" + name);
    if (name != "weight") return recorded;
    for (const auto& t : targets_)
      if (t.name == layer) return t.weights(recorded);
    return recorded;
  }
  // Every (layer, weight or bias) that a group holds.
  template <class F>
  void each(const std::string& group, const F& f) const {
    if (!file_.exists(group)) return;
    for (const auto& layer : file_.children(group))
      for (const auto& name : file_.children(group + "/" + layer)) f(layer, name, arranged(group, layer, name));
  }
  static std::string scores(const std::string& layer, const std::string& category, const std::string& name) {
    return concat(layer, ".", category, ".", name == "weight" ? "W" : name, "_scores");
  }

  void give_noise(Network& net, const std::string& group) const {
    each(group, [&](const std::string& layer, const std::string& name, const HostArray& noise) {
      for (auto& one : masked_parameters(net))
        if (one.layer == layer && one.name == (name == "weight" ? "W" : name)) one.mask->give_noise(noise);
    });
  }

 private:
  Architecture architecture() const {
    const auto units = [&](const char* path, int axis) { return file_.read(path).shape()[axis]; };
    const Shape images = x_.shape();
    Architecture a;
    a.input({{"x", {"B", images[1], images[2], images[3]}}, {"labels", {"B", 1}}});
    const json conv = {{"filters", units("/parameters/conv/weight", 0)},
                       {"kernel_size", {units("/parameters/conv/weight", 2), units("/parameters/conv/weight", 3)}},
                       {"padding", 1}};
    a["Input.x"] >> a.add("conv", "Conv2D", conv) >> a.add("norm", "BatchNorm2D", {{"epsilon", 1e-5}}) >>
        a.add("tanh", "Activation", {{"function", "tanh"}}) >>
        a.add("hidden", "Dense", {{"units", units("/parameters/hidden/weight", 0)}, {"activation", "relu"}}) >>
        a.add("out", "Dense", {{"units", units("/parameters/out/weight", 1)}}) >>
        a.add("ce", "CrossEntropy", {{"reduction", "none"}});
    a["Input.labels"] >> a["ce.targets"];
    a["ce.loss"] >> a.add("Loss", "Loss");
    return a;
  }

  void fill(Network& net) const {
    each("/parameters", [&](const std::string& layer, const std::string& name, const HostArray& value) {
      net.set_parameter(concat(layer, ".", name == "weight" && layer != "norm" ? "W" : name), value);
    });
    for (const char* name : {"running_mean", "running_var"})
      net.set_parameter(concat("norm.", name), file_.read(concat("/buffers/norm/", name)));
    each("/scores", [&](const std::string& layer, const std::string& name, const HostArray& value) {
      net.set_parameter(concat(layer, ".", name == "weight" ? "W" : name, "_scores"), value);
    });
  }

  const H5Reader& file_;
  std::shared_ptr<Handler> handler_;
  Catalog catalog_ = make_catalog();
  json config_;
  HostArray x_, labels_;
  std::vector<Target> targets_;
};

void compare_statistics(Network& net, const json& expected, const std::string& where, Comparison& c) {
  const L0Statistics got = l0_statistics(net);
  c.number(where + " total_l0", static_cast<double>(got.l0), expected.at("total_l0").get<double>());
  c.number(where + " max_l0", static_cast<double>(got.max_l0), expected.at("max_l0").get<double>());
  for (const auto& one : got.layers) {
    c.number(concat(where, " l0 of ", one.layer), static_cast<double>(one.l0),
             expected.at("layer2l0").at(one.layer).get<double>());
    c.number(concat(where, " max l0 of ", one.layer), static_cast<double>(one.max_l0),
             expected.at("layer2maxl0").at(one.layer).get<double>());
  }
}

// Which parameters of the network still move.
void compare_trainable(Network& net, const json& expected, Comparison& c) {
  for (const auto& piece : net.trainable()) {
    const std::string name = piece.entry->info->name;
    const std::string layer = net.graph().node(piece.entry->node).name;
    const std::string theirs = layer + "." + (name == "W_scores" ? "weight_scores" : name == "W" ? "weight" : name);
    if (std::ranges::find(expected, json(theirs)) == expected.end()) c.fail(concat(theirs, " is trained"));
  }
  c.number("trainable", static_cast<double>(net.trainable().size()), static_cast<double>(expected.size()));
}

}  // namespace

void replay_mask_model(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const MaskedNetwork recorded(file, handler);
  for (const auto& name : file.children("/runs")) {
    const std::string run = "/runs/" + name;
    const json settings = json_attribute(file, run, "settings");
    const bool training = settings.value("training", false);
    const auto net = recorded.make(settings, training);
    recorded.give_noise(*net, run + "/noise");
    net->forward(training ? Mode::Train : Mode::Eval);
    c.tensor(run + "/logits", net->get("out.outputs.default"), file.read(run + "/logits"));
    const LossReport losses = net->losses();
    c.number(run + " task loss", losses.losses.at(0).value, settings.at("task_loss").get<double>());
    c.number(run + " loss", losses.total, settings.at("loss").get<double>());
    compare_statistics(*net, settings.at("l0_statistics"), run, c);
    if (!training) continue;
    net->backward();
    if (file.has_attribute("/", "trainable")) compare_trainable(*net, json_attribute(file, "/", "trainable"), c);
    recorded.each(run + "/score_gradients",
                  [&](const std::string& layer, const std::string& parameter, const HostArray& expected) {
                    const std::string path = MaskedNetwork::scores(layer, "gradients", parameter);
                    c.tensor(run + " " + path, net->get(path), expected);
                  });
  }
}

void replay_mask_training(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  const MaskedNetwork recorded(file, handler);
  const auto net = recorded.make(json::object(), true);
  const auto number = [&](const char* name) { return std::stod(file.attribute_text("/", name)); };
  const auto steps = static_cast<Index>(number("steps"));
  const bool annealed = recorded.config().at("mask_method") == "continuous_sparsification";
  const bool exact = handler->dtype() == DType::F64;
  for (Index i = 0; i < steps; ++i) {
    const std::string step = concat("/steps/", i);
    if (annealed) {
      const double temperature = annealed_temperature(number("final_temperature"), steps, i);
      c.number(concat("temperature ", i), temperature, file.read("/temperature").value(i));
      set_mask_temperature(*net, temperature);
    }
    recorded.give_noise(*net, step + "/noise");
    net->forward(Mode::Train);
    c.number(concat("loss ", i), net->total_loss(), file.read("/loss").value(i));
    net->backward();
    for (const auto& piece : net->trainable()) {
      UpdateRange range;
      range.value = net->parameters().slice(piece.offset, piece.elements);
      range.gradient = net->gradients().slice(piece.offset, piece.elements);
      handler->optim().sgd(range, number("learning_rate"));
    }
    net->parameters_changed();
    recorded.each(step + "/scores", [&](const std::string& layer, const std::string& name, const HostArray& expected) {
      const std::string path = MaskedNetwork::scores(layer, "parameters", name);
      c.tensor(concat("step ", i, " ", path), net->get(path), expected);
    });
    const double l0 = static_cast<double>(l0_statistics(*net).l0);
    const double expected = file.read("/l0_eval").value(i);
    if (exact || std::abs(l0 - expected) > 1) c.number(concat("l0 after step ", i), l0, expected);
  }
}

}  // namespace squall::conformance
