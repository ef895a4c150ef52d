#include "run/runner.hpp"

#include <algorithm>

#include "run/continuation.hpp"
#include "run/init_from.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/training/mask_report.hpp"

namespace squall {

namespace {

// Hooks that look into layers need every buffer in a place of its own.
NetworkOptions network_options(const Experiment& e, const Catalog& catalog) {
  NetworkOptions options;
  options.seed = e.seed;
  for (const auto& stage : e.stages)
    for (const auto& [key, hook] : stage.hooks.items())
      if (catalog.of<Hook>().make(hook, "hooks." + key, catalog)->inspects_buffers())
        options.memory = MemoryMode::Inspectable;
  return options;
}

struct OwnHookOptions : HookOptions {
  static constexpr auto fields = hook_fields<OwnHookOptions>();
};

// Added last: when it starts, every other hook has agreed to train.
class BeginHook final : public HookOf<BeginHook, OwnHookOptions> {
 public:
  static constexpr std::string_view kType = "BeginFolder";
  explicit BeginHook(std::function<void()> begin) : begin_(std::move(begin)) {}
  HookStage stage() const override { return HookStage::Save; }
  void start(Trainer&) override { begin_(); }
  Verdict run(Trainer&, const Progress&) override { return Verdict::Continue; }

 private:
  std::function<void()> begin_;
};

// Added first: when it finishes, the network is still as the last update left it.
class KeepHook final : public HookOf<KeepHook, OwnHookOptions> {
 public:
  static constexpr std::string_view kType = "KeepState";
  explicit KeepHook(std::function<void(const Trainer&)> keep) : keep_(std::move(keep)) {}
  HookStage stage() const override { return HookStage::Inspect; }
  Verdict run(Trainer&, const Progress&) override { return Verdict::Continue; }
  void finish(Trainer& trainer) override {
    if (trainer.ended() == Ended::Finished || trainer.ended() == Ended::StoppedByHook) keep_(trainer);
  }

 private:
  std::function<void(const Trainer&)> keep_;
};

}  // namespace

Runner::Runner(const Experiment& experiment, const RunOptions& options, const Catalog& catalog,
               std::shared_ptr<Handler> handler, int threads)
    : experiment_(experiment),
      options_(options),
      catalog_(catalog),
      threads_(threads),
      data_(experiment.data, experiment.tasks, catalog, options.data, experiment.seed),
      network_(experiment.architecture, catalog, std::move(handler), network_options(experiment, catalog)),
      phases_(make_phases(experiment)) {
  std::vector<std::string> all;
  for (const auto& task : experiment_.tasks) all.push_back(task.first);
  for (const auto& task : make_tasks(experiment_.tasks, all, network_.graph(), catalog_))
    if (!task.output.empty()) network_.pin(task.output);
}

RunResult Runner::run() {
  folder_ = std::make_unique<RunFolder>(options_.out);
  std::unique_ptr<Checkpoint> checkpoint;
  if (options_.resume && std::filesystem::exists(file("checkpoint.h5"))) {
    checkpoint = std::make_unique<Checkpoint>(file("checkpoint.h5"));
    continue_from(*checkpoint);
  } else {
    if (options_.resume) message(concat(options_.out.string(), " has no checkpoint.h5; starting from the beginning"));
    begin_network();
  }
  check_data();
  detail([this] { return data_.details(); });
  for (std::size_t p = info_.phase; p < phases_.size(); ++p) {
    const bool here = checkpoint != nullptr && p == info_.phase;
    const bool inside = here && checkpoint->has_trainer();
    if (here && info_.phase_done && !inside) continue;
    info_.phase = p;
    if (!inside) info_.phase_done = false;
    if (run_phase(p, inside ? checkpoint.get() : nullptr) == Ended::Interrupted) return {true, {}};
    checkpoint = nullptr;
  }
  begin_folder();
  RunResult result;
  json about = description();
  about["epochs"] = epochs_now();
  save_model(file("model.h5"), network_, about);
  folder_->settle();
  if (restores_best()) write_file_atomically(file("best.h5"), read_whole_file(file("model.h5")));
  result.report = make_report();
  write_file_atomically(file("report.json"), result.report.dump(2) + "\n");
  return result;
}

// Every phase finds its examples.
void Runner::check_data() {
  for (std::size_t p = info_.phase; p < phases_.size(); ++p)
    data_.training(phases_[p].tasks, experiment_.stages[phases_[p].stage].batch_size, false, Mix::Cycle);
  for (const auto& task : experiment_.tasks) check_classes(task.first, task.second.targets);
}

// Targets that a layer takes for classes are classes it has.
void Runner::check_classes(const std::string& task, const std::string& targets) {
  const Graph& graph = network_.graph();
  const int slot = graph.node(0).find_output(targets);
  if (slot < 0) return;
  for (const auto& reader : graph.readers(0, slot)) {
    const Node& node = graph.node(reader.node);
    const int judged = node.find_input("default");
    if (node.layer->type() != "SoftmaxCE" || judged < 0) continue;
    data_.check_classes(task, node.inputs[static_cast<std::size_t>(judged)].shape.features[-1], node.name);
  }
}

// Called when nothing is left that could refuse the run; until then the folder is as it was. What an earlier run left
// goes before anything of this one comes.
void Runner::begin_folder() {
  if (metrics_) return;
  folder_->set_aside(!continues_);
  write_file_atomically(file("experiment.json"), effective(experiment_, catalog_).dump(2) + "\n");
  metrics_ = std::make_unique<MetricsFile>(file("metrics.jsonl"), info_.metrics_lines);
}

// Whether the last phase ended with the best parameters put back.
bool Runner::restores_best() const {
  const json& hooks = experiment_.stages[phases_.back().stage].hooks;
  return std::ranges::any_of(
      hooks, [](const json& h) { return h["@type"] == "EarlyStopper" && h.value("restore_best", true); });
}

void Runner::begin_network() {
  if (!experiment_.initialize.is_null()) network_.initialize(experiment_.initialize, experiment_.seed);
  if (experiment_.init_from.empty()) return;
  refuse_own_init_from(experiment_.init_file());
  init_from(experiment_, network_, [this](const std::string& line) { message(line); });
}

void Runner::refuse_own_init_from(const std::filesystem::path& from) const {
  if (const std::string name = folder_->owns(from); !name.empty())
    raise<ConfigError>("init_from: ", from.string(), " is ", name, " of the run folder ", options_.out.string(),
                       ", which this run would replace; give another --out, or move the file elsewhere first");
}

void Runner::continue_from(const Checkpoint& checkpoint) {
  const std::string name = file("checkpoint.h5").string();
  const json& state = checkpoint.description().at("checkpoint");
  const std::string dtype = network_.handler().dtype() == DType::F64 ? "f64" : "f32";
  if (const std::string then = state.value("dtype", dtype); then != dtype)
    raise<ConfigError>(name, ": was made with ", then, ", not ", dtype, "; go on with --handler cpu:", then);
  const Experiment then =
      parse_experiment(checkpoint.description().at("experiment"), experiment_.folder, name, catalog_);
  const std::string found = first_difference(effective(then, catalog_), effective(experiment_, catalog_));
  if (!found.empty())
    raise<ConfigError>(name, ": belongs to another experiment: ", found,
                       "; give it the old value, another --out, or leave out --resume");
  const auto before = make_phases(then);
  info_ = checkpoint.info();
  if (info_.phase >= phases_.size())
    raise<FileError>(name, ": is of phase ", info_.phase + 1, ", but there are ", phases_.size());
  const bool over = info_.phase_done && !checkpoint.has_trainer();
  for (std::size_t p = 0; p < std::min(before.size(), phases_.size()); ++p)
    if (before[p].epochs != phases_[p].epochs && (p < info_.phase || (p == info_.phase && over)))
      raise<ConfigError>(name, ": max_epochs is ", phases_[p].epochs, " now and was ", before[p].epochs, ", but phase ",
                         p + 1, " of ", phases_.size(),
                         " is over; begin a new run with init_from and its model.h5 in another --out");
  longer_ = info_.phase < before.size() && before[info_.phase].epochs != phases_[info_.phase].epochs;
  continues_ = true;
  seconds_before_ = info_.seconds;
  checkpoint.restore(network_);
  message(concat("continuing in phase ", info_.phase + 1, " of ", phases_.size()));
}

void Runner::make_masks(const Phase& phase) {
  if (phase.mask.empty()) return;
  const auto tasks = make_tasks(experiment_.tasks, phase.mask, network_.graph(), catalog_);
  const StageOptions& stage = experiment_.stages[phase.stage];
  auto data = data_.training(phase.mask, stage.batch_size, false, Mix::Cycle);
  Rsn2 rsn2 = *experiment_.sparsify;
  rsn2.options.rescale = phase.rescale;
  const MaskReport report = rsn2.apply(network_, tasks, data.get(), experiment_.seed);
  message(report.text());
}

Ended Runner::run_phase(std::size_t index, const Checkpoint* checkpoint) {
  const Phase& phase = phases_[index];
  const StageOptions& stage = experiment_.stages[phase.stage];
  network_.store().spread_all();
  if (checkpoint == nullptr) make_masks(phase);
  network_.set_weight_modifiers(stage.weight_modifiers);
  network_.set_gradient_modifiers(stage.gradient_modifiers);
  if (!stage.iterative.is_null()) return run_iterative(phase);
  const Mix mix = stage.mix == "shortest" ? Mix::Shortest : Mix::Cycle;
  auto training = data_.training(phase.tasks, stage.batch_size, stage.shuffle, mix);
  Trainer trainer(network_,
                  std::make_unique<Stepper>(catalog_.of<UpdateRule>().make(stage.stepper, "stepper", catalog_)),
                  make_tasks(experiment_.tasks, phase.tasks, network_.graph(), catalog_));
  set_up(trainer, phase);
  checkpoint_ = CheckpointOptions{};
  Problems none;
  read_fields(stage.checkpoint, "checkpoint", checkpoint_, none);
  if (checkpoint != nullptr) {
    trainer.stepper().start(network_);
    checkpoint->restore(trainer);
  }
  trainer_ = &trainer;
  const Ended ended = train_phase(trainer, phase, checkpoint, *training);
  trainer_ = nullptr;
  detail([&] { return network_.arena_bytes() > 0 ? binding_details(network_) : std::string(); });
  begin_folder();
  if (ended == Ended::Interrupted) {
    save_now(&trainer, false);
    return ended;
  }
  for (const auto& task : phase.tasks)
    info_.epochs[task] = info_.epochs.value(task, Index{0}) + trainer.progress().epoch;
  if (!is_last(phase)) save_now(nullptr, true);
  return ended;
}

Ended Runner::train_phase(Trainer& trainer, const Phase& phase, const Checkpoint* checkpoint, DataIterator& training) {
  const Index done = trainer.progress().epoch;
  const bool nothing_left = phase.epochs > 0 && done >= phase.epochs && trainer.batch_in_epoch() == 0;
  const bool over = checkpoint != nullptr && info_.phase_done && !longer_;
  info_.phase_done = false;
  if (nothing_left || over) {
    begin_folder();
    const Ended how = over ? checkpoint->ended() : Ended::Finished;
    trainer.finish_again(how);
    return how;
  }
  const auto validation = validation_of(phase);
  std::map<std::string, DataIterator*> named;
  if (validation) named["validation"] = validation.get();
  return trainer.train(training, named, phase.epochs == 0 ? 0 : phase.epochs - done);
}

// Null unless every task has such a split.
std::unique_ptr<DataIterator> Runner::validation_of(const Phase& phase) {
  return data_.scoring(phase.tasks, "validation");
}

void Runner::set_up(Trainer& trainer, const Phase& phase) {
  const StageOptions& stage = experiment_.stages[phase.stage];
  trainer.set_observer(this);
  trainer.set_interrupt(options_.interrupt);
  trainer.set_truncation(stage.truncate);
  trainer.set_frozen(stage.frozen);
  trainer.set_folder(options_.out);
  trainer.set_network_writer([this](const Network& network, const std::string& name) {
    const std::filesystem::path path = name;  // relative ones lie in the run folder
    json about = description();
    about["epochs"] = epochs_now();
    save_model(path.is_absolute() ? path : file(name), network, about);
  });
  if (is_last(phase)) trainer.add_hook(std::make_unique<KeepHook>([this](const Trainer& t) { save_now(&t, true); }));
  if (phase.with_hooks) add_hooks(trainer, stage);
  trainer.add_hook(std::make_unique<BeginHook>([this] { begin_folder(); }));
  if (stage.sparse == "auto") trainer.keep_only_masked();
}

void Runner::add_hooks(Trainer& trainer, const StageOptions& stage) {
  for (const auto& [key, description] : stage.hooks.items()) {
    json named = description;
    if (stage.hooks.is_object() && !named.contains("name")) named["name"] = key;
    if (named["@type"] == "SaveBestNetwork" && !named.contains("filename")) named["filename"] = "best.h5";
    trainer.add_hook(catalog_.of<Hook>().make(named, "hooks." + key, catalog_));
  }
}

void Runner::save_now(const Trainer* trainer, bool phase_done) {
  require_finite_parameters(network_, trainer != nullptr ? trainer->progress() : Progress{});
  info_.phase_done = phase_done;
  info_.metrics_lines = metrics_->lines();
  info_.seconds = seconds();
  save_checkpoint(file("checkpoint.h5"), checkpoint_.keep, network_, trainer, info_, description());
  folder_->settle();
}

// Finished epochs of each task, those of the running phase too.
json Runner::epochs_now() const {
  json epochs = info_.epochs;
  if (trainer_ != nullptr)
    for (const auto& task : trainer_->tasks())
      epochs[task.name] = epochs.value(task.name, Index{0}) + trainer_->progress().epoch;
  return epochs;
}

json Runner::description() const { return {{"experiment", experiment_.source}, {"squall", "0.1.0"}}; }

double Runner::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void Runner::epoch_begins(Index epoch, Index batches) {
  if (options_.observer != nullptr) options_.observer->epoch_begins(epoch, batches);
}

void Runner::update_done(const Progress& p, Index batch, Index batches, double loss) {
  if (options_.observer != nullptr) options_.observer->update_done(p, batch, batches, loss);
}

void Runner::epoch_ends(const Progress& p, const std::vector<std::pair<std::string, double>>& values, double seconds) {
  metrics_->add(info_.phase, p, values, seconds);
  if (options_.observer != nullptr) options_.observer->epoch_ends(p, values, seconds);
  if (p.epoch > 0 && checkpoint_.interval > 0 && p.epoch % checkpoint_.interval == 0) save_now(trainer_, false);
}

void Runner::detail(const std::function<std::string()>& text) const {
  if (!options_.detail) return;
  if (const std::string told = text(); !told.empty()) options_.detail(told);
}

void Runner::message(const std::string& text) {
  if (options_.observer != nullptr) options_.observer->message(text);
}

json Runner::make_report() {
  json report;
  report["seed"] = experiment_.seed;
  report["handler"] = network_.handler().name();
  report["threads"] = threads_;
  report["seconds"] = seconds();
  report["parameters"] = network_.parameter_count();
  report["model_bytes"] = std::filesystem::file_size(file("model.h5"));
  report["overlap"] = report_masks(network_).overlap();
  std::vector<std::string> all;
  for (const auto& task : experiment_.tasks) all.push_back(task.first);
  const auto tasks = make_tasks(experiment_.tasks, all, network_.graph(), catalog_);
  const std::string_view split = "test";
  for (const auto& [stage, tasks_done] : info_.iterative.items())
    for (const json& one : tasks_done) report["iterative"].push_back(one);
  report["tasks"] = score_tasks(network_, data_, tasks, split, {});
  if (json together = score_ensemble(network_, data_, experiment_.tasks, tasks, split); !together.is_null())
    report["aggregate"] = std::move(together);
  for (const auto& name : all)
    if (report["tasks"].contains(name)) report["tasks"][name]["epochs"] = info_.epochs.value(name, Index{0});
  return report;
}

RunResult run_experiment(const Experiment& experiment, const RunOptions& options, const Catalog& catalog,
                         std::shared_ptr<Handler> handler, int threads) {
  return Runner(experiment, options, catalog, std::move(handler), threads).run();
}

}  // namespace squall
