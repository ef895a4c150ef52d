// One run of an experiment: its network, data, phases and files.
#pragma once

#include <chrono>

#include "run/checkpoint.hpp"
#include "run/metrics_file.hpp"
#include "run/phases.hpp"
#include "run/run_folder.hpp"
#include "squall/tools/run.hpp"

namespace squall {

class Runner : private TrainingObserver {
 public:
  Runner(const Experiment& experiment, const RunOptions& options, const Catalog& catalog,
         std::shared_ptr<Handler> handler, int threads);
  RunResult run();

 private:
  void epoch_begins(Index epoch, Index batches) override;
  void update_done(const Progress&, Index batch, Index batches, double loss) override;
  void epoch_ends(const Progress&, const std::vector<std::pair<std::string, double>>&, double seconds) override;
  void message(const std::string& text) override;
  void hides(const std::string& path) override {
    if (options_.observer != nullptr) options_.observer->hides(path);
  }
  void detail(const std::function<std::string()>& text) const;

  bool restores_best() const;
  void begin_network();
  void continue_from(const Checkpoint& checkpoint);
  void check_data();
  void check_classes(const std::string& task, const std::string& targets);
  void begin_folder();
  void make_masks(const Phase& phase);
  Ended run_phase(std::size_t index, const Checkpoint* checkpoint);
  void add_hooks(Trainer& trainer, const StageOptions& stage);
  void refuse_own_init_from(const std::filesystem::path& from) const;
  void add_own_hooks(Trainer& trainer, const Phase& phase);
  Ended run_iterative(const Phase& phase);
  Ended train_phase(Trainer& trainer, const Phase& phase, const Checkpoint* checkpoint, DataIterator& training);
  std::unique_ptr<DataIterator> validation_of(const Phase& phase);
  void set_up(Trainer& trainer, const Phase& phase);
  bool is_last(const Phase& phase) const { return &phase == &phases_.back(); }
  void save_now(const Trainer* trainer, bool phase_done);
  json epochs_now() const;
  json make_report();
  json description() const;
  std::filesystem::path file(std::string_view name) const { return options_.out / name; }
  double seconds() const;

  const Experiment& experiment_;
  RunOptions options_;
  const Catalog& catalog_;
  int threads_;
  ExperimentData data_;
  Network network_;
  std::vector<Phase> phases_;
  std::unique_ptr<RunFolder> folder_;
  bool continues_ = false;  // from a checkpoint
  bool longer_ = false;     // whose phase may have more epochs now
  CheckpointInfo info_;
  std::unique_ptr<MetricsFile> metrics_;
  Trainer* trainer_ = nullptr;  // of the running phase
  CheckpointOptions checkpoint_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  double seconds_before_ = 0;
};

}  // namespace squall
