// kinds sparsification and train_model of BeyondML's recordings.
#include <algorithm>

#include "conformance/beyondml_kinds.hpp"
#include "squall/core/catalog.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/training/mask_model.hpp"
#include "squall/training/masked_snapshot.hpp"
#include "squall/training/sparsification_state.hpp"
#include "squall/training/trainer.hpp"

namespace squall::conformance {

namespace {

SparsificationRules rules_of(const json& a, double cutoff, const std::string& measure) {
  SparsificationRules r;
  r.literal = true;
  r.cutoff = cutoff;
  r.smaller_is_better = measure.find("accuracy") == std::string::npos;
  r.starting = a.contains("starting_sparsification") && !a["starting_sparsification"].is_null()
                   ? a["starting_sparsification"].get<double>()
                   : 0;
  r.maximum = a.value("max_sparsification", r.maximum);
  r.rate = a.value("sparsification_rate", r.rate);
  r.patience = a.value("sparsification_patience", r.patience);
  r.stopping_delta = a.value("stopping_delta", r.stopping_delta);
  r.stopping_patience = a.value("stopping_patience", r.stopping_patience);
  r.restore_best = a.value("restore_best_weights", true);
  return r;
}

std::string measure_of(const json& arguments, const json& logs) {
  std::string wanted = arguments.value("performance_measure", "auto");
  if (wanted != "auto") return wanted;
  for (const auto* name : {"val_accuracy", "val_loss", "accuracy"})
    if (logs.contains(name)) return name;
  return "loss";
}

void compare_state(const std::string& where, const SparsificationState& s, const json& expected, Comparison& c) {
  c.text(where + "mode", s.mode() == SparsificationState::Mode::Prune ? "prune" : "settle",
         expected["mode"].get<std::string>());
  c.number(where + "sparsity", s.sparsity(), expected["sparsity"].get<double>());
  c.number(where + "prune_wait", static_cast<double>(s.prune_wait()), expected["prune_wait"].get<double>());
  c.number(where + "stop_wait", static_cast<double>(s.stop_wait()), expected["stop_wait"].get<double>());
  c.number(where + "best", s.best(), expected["best"].get<double>());
}

std::string yes_no(bool b) { return b ? "true" : "false"; }

}  // namespace

void replay_sparsification(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  const json arguments = json_attribute(file, "arguments"), trace = json_attribute(file, "trace");
  const std::string measure = measure_of(arguments, trace.at(0)["logs"]);
  SparsificationState state(rules_of(arguments, arguments.at("performance_cutoff").get<double>(), measure));
  MaskedSnapshot best;
  best.capture(net.network());
  for (std::size_t e = 0; e < trace.size(); ++e) {
    const std::string where = concat("epoch ", e, " ");
    const json& expected = trace[e];
    net.set_state("/trained", static_cast<Index>(e), false);
    const auto actions = state.next(expected["logs"].at(measure).get<double>());
    if (actions.keep) best.capture(net.network());
    if (actions.mask) {
      Rsn2Options options = mask_model_options(*actions.mask, "magnitude");
      options.compat = "beyondml";
      mask_model(net.network(), net.tasks(), options, {.pack = false});
    }
    if (actions.restore) best.restore(net.network());
    c.text(where + "measure", measure, expected["measure"].get<std::string>());
    c.text(where + "masked", yes_no(actions.mask.has_value()), yes_no(expected["masked"].get<bool>()));
    c.text(where + "restored", yes_no(actions.restore), yes_no(expected["restored"].get<bool>()));
    c.text(where + "stop_training", yes_no(actions.stop), yes_no(expected["stop_training"].get<bool>()));
    compare_state(where, state, expected, c);
    net.compare_state("/after", static_cast<Index>(e), where, c);
  }
}

namespace {

struct WatchOptions : HookOptions {
  static constexpr auto fields = hook_fields<WatchOptions>();
};

// Compares what is recorded for an epoch, before or after the hook that is replayed.
class Watch final : public HookOf<Watch, WatchOptions> {
 public:
  static constexpr std::string_view kType = "Watch";
  Watch(RecordedNetwork& net, const json& trace, HookStage stage, Comparison& c)
      : net_(net), trace_(trace), stage_(stage), c_(c) {
    options.name = before() ? "before" : "after";
  }
  HookStage stage() const override { return stage_; }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    if (progress.epoch == 0) return Verdict::Continue;
    const auto e = static_cast<std::size_t>(progress.epoch - 1);
    if (e >= trace_.size()) {
      c_.fail("there is another epoch after the last one");
      return Verdict::Stop;
    }
    const std::string where = concat("epoch ", e, " ");
    if (!before()) {
      c_.number(where + "sparsity", trainer.logs().find("ActiveSparsification.sparsity")->back(),
                trace_[e]["sparsity"].get<double>());
      net_.compare_state("/after", static_cast<Index>(e), where + "after/", c_);
      return Verdict::Continue;
    }
    c_.number(where + "loss", trainer.logs().find("rolling_training.total_loss")->back(),
              trace_[e]["logs"]["loss"].get<double>());
    if (const auto* accuracy = trainer.logs().find("rolling_training.accuracy"))
      c_.number(where + "accuracy", accuracy->back(), trace_[e]["logs"]["accuracy"].get<double>());
    net_.compare_state("/trained", static_cast<Index>(e), where + "trained/", c_);
    return Verdict::Continue;
  }

 private:
  bool before() const { return stage_ == HookStage::Measure; }
  RecordedNetwork& net_;
  const json& trace_;
  HookStage stage_;
  Comparison& c_;
};

json hook_of(const json& arguments, const std::string& measure) {
  json hook = {{"@type", "ActiveSparsification"},
               {"performance_cutoff", arguments.at("cutoff")},
               {"performance_measure", "rolling_training." + measure},
               {"stopping_delta", 0.01},
               {"criterion", measure == "accuracy" ? "max" : "min"},
               {"compat", "beyondml"}};
  for (const auto* key : {"starting_sparsification", "max_sparsification", "sparsification_rate",
                          "sparsification_patience", "stopping_patience"})
    if (arguments.contains(key)) hook[key] = arguments[key];
  if (!arguments.contains("sparsification_rate")) hook["sparsification_rate"] = 5;
  return hook;
}

}  // namespace

void replay_train_model(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  const json trace = json_attribute(file, "trace"), metrics = json_attribute(file, "metrics");
  const Catalog catalog = make_catalog();
  auto tasks = net.tasks();
  const bool accuracy = metrics.is_array() && !metrics.empty();
  for (auto& task : tasks) {
    if (!accuracy) continue;
    task.scorers.push_back(catalog.of<Scorer>().make({{"@type", "Accuracy"}}, "scorer", catalog));
    net.network().pin(task.output);
  }
  const json stepper = stepper_of(json_attribute(file, "optimizer"));
  Trainer trainer(net.network(), std::make_unique<Stepper>(catalog.of<UpdateRule>().make(stepper, "stepper", catalog)),
                  tasks);
  const std::string chosen = trace.at(0)["measure"].get<std::string>();
  const json hook = hook_of(json_attribute(file, "arguments"), chosen == "accuracy" ? "accuracy" : "total_loss");
  trainer.add_hook(std::make_unique<Watch>(net, trace, HookStage::Measure, c));
  trainer.add_hook(catalog.of<Hook>().make(hook, "hook", catalog));
  trainer.add_hook(std::make_unique<Watch>(net, trace, HookStage::Save, c));
  MinibatchesOptions batches;
  batches.batch_size = file.attribute_int("/", "batch_size");
  batches.shuffle = false;
  Minibatches data(net.data(), batches);
  const Ended ended = trainer.train(data, {}, file.attribute_int("/", "max_epochs"));
  c.number("epochs", static_cast<double>(trainer.progress().epoch), static_cast<double>(trace.size()));
  c.text("stopped", yes_no(ended == Ended::StoppedByHook), yes_no(trace.back()["stop_training"].get<bool>()));
}

}  // namespace squall::conformance
