#include "run/runner.hpp"

#include <algorithm>

#include "run/continuation.hpp"
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

struct BeginOptions : HookOptions {
  static constexpr auto fields = hook_fields<BeginOptions>();
};

// Added last: when it starts, every other hook has agreed to train.
class BeginHook final : public HookOf<BeginHook, BeginOptions> {
 public:
  static constexpr std::string_view kType = "BeginFolder";
  static constexpr std::string_view kSummary = "lets the run write into its folder";
  explicit BeginHook(std::function<void()> begin) : begin_(std::move(begin)) {}
  HookStage stage() const override { return HookStage::Save; }
  void start(Trainer&) override { begin_(); }
  Verdict run(Trainer&, const Progress&) override { return Verdict::Continue; }

 private:
  std::function<void()> begin_;
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
  for (std::size_t p = info_.phase; p < phases_.size(); ++p) {
    const bool inside = checkpoint != nullptr && p == info_.phase && !info_.phase_done;
    if (checkpoint != nullptr && p == info_.phase && info_.phase_done) continue;
    info_.phase = p;
    info_.phase_done = false;
    if (run_phase(p, inside ? checkpoint.get() : nullptr) == Ended::Interrupted) return {true, {}};
  }
  begin_folder();
  RunResult result;
  save_model(file("model.h5"), network_, description());
  if (restores_best()) write_file_atomically(file("best.h5"), read_whole_file(file("model.h5")));
  result.report = make_report();
  write_file_atomically(file("report.json"), result.report.dump(2) + "\n");
  return result;
}

// Every phase finds its examples.
void Runner::check_data() {
  for (std::size_t p = info_.phase; p < phases_.size(); ++p)
    data_.training(phases_[p].tasks, experiment_.stages[phases_[p].stage].batch_size, false, Mix::Cycle);
}

// Called when nothing is left that could refuse the run; until then the folder is as it was. What an earlier run left
// goes before anything of this one comes.
void Runner::begin_folder() {
  if (metrics_) return;
  folder_->forget(!continues_);
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
  std::filesystem::path from = experiment_.init_from;
  if (from.is_relative()) from = experiment_.folder / from;
  for (const auto& line : take_matching(ModelFile(from).reader(), network_)) message("init_from: " + line);
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
  for (std::size_t p = 0; p < std::min(before.size(), phases_.size()); ++p)
    if (before[p].epochs != phases_[p].epochs && (p < info_.phase || (p == info_.phase && info_.phase_done)))
      raise<ConfigError>(name, ": max_epochs is ", phases_[p].epochs, " now and was ", before[p].epochs, ", but phase ",
                         p + 1, " of ", phases_.size(),
                         " is over; begin a new run with init_from and its model.h5 in another --out");
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
  const Mix mix = stage.mix == "shortest" ? Mix::Shortest : Mix::Cycle;
  auto training = data_.training(phase.tasks, stage.batch_size, stage.shuffle, mix);
  std::vector<std::unique_ptr<DataIterator>> parts;
  for (const auto& task : phase.tasks)
    if (auto part = data_.scoring(task, "validation")) parts.push_back(std::move(part));
  std::unique_ptr<DataIterator> validation;
  if (parts.size() == phase.tasks.size())
    validation = parts.size() == 1 ? std::move(parts[0]) : std::make_unique<Zipped>(std::move(parts), Mix::Shortest);

  Trainer trainer(network_,
                  std::make_unique<Stepper>(catalog_.of<UpdateRule>().make(stage.stepper, "stepper", catalog_)),
                  make_tasks(experiment_.tasks, phase.tasks, network_.graph(), catalog_));
  trainer.set_observer(this);
  trainer.set_interrupt(options_.interrupt);
  trainer.set_truncation(stage.truncate);
  trainer.set_folder(options_.out);
  trainer.set_network_writer([this](const Network& network, const std::string& name) {
    const std::filesystem::path path = name;  // relative ones lie in the run folder
    save_model(path.is_absolute() ? path : file(name), network, description());
  });
  if (phase.with_hooks) add_hooks(trainer, stage);
  trainer.add_hook(std::make_unique<BeginHook>([this] { begin_folder(); }));
  if (stage.sparse == "auto") trainer.keep_only_masked();
  checkpoint_ = CheckpointOptions{};
  Problems none;
  read_fields(stage.checkpoint, "checkpoint", checkpoint_, none);
  if (checkpoint != nullptr) {
    trainer.stepper().start(network_);
    checkpoint->restore(trainer);
  }
  trainer_ = &trainer;
  std::map<std::string, DataIterator*> named;
  if (validation) named["validation"] = validation.get();
  const Index done = trainer.progress().epoch;
  const Index left = phase.epochs == 0 ? 0 : std::max<Index>(phase.epochs - done, 0);
  const bool nothing_left = phase.epochs > 0 && left == 0 && trainer.batch_in_epoch() == 0;
  const Ended ended = nothing_left ? Ended::Finished : trainer.train(*training, named, left);
  trainer_ = nullptr;
  begin_folder();
  for (const auto& task : phase.tasks)
    info_.epochs[task] =
        info_.epochs.value(task, Index{0}) + (ended == Ended::Interrupted ? 0 : trainer.progress().epoch);
  save_now(ended == Ended::Interrupted ? &trainer : nullptr, ended != Ended::Interrupted);
  return ended;
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
  info_.phase_done = phase_done;
  info_.metrics_lines = metrics_->lines();
  info_.seconds = seconds();
  save_checkpoint(file("checkpoint.h5"), checkpoint_.keep, network_, trainer, info_, description());
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
  report["tasks"] = score_tasks(network_, data_, tasks, split, {});
  for (const auto& name : all)
    if (report["tasks"].contains(name)) report["tasks"][name]["epochs"] = info_.epochs.value(name, Index{0});
  return report;
}

RunResult run_experiment(const Experiment& experiment, const RunOptions& options, const Catalog& catalog,
                         std::shared_ptr<Handler> handler, int threads) {
  return Runner(experiment, options, catalog, std::move(handler), threads).run();
}

}  // namespace squall
