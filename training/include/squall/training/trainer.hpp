// Drives a stepper over data, with hooks. Counters and logs go on over several calls of train(), and over a checkpoint.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>

#include "squall/training/data_iterator.hpp"
#include "squall/training/evaluate.hpp"
#include "squall/training/hook.hpp"
#include "squall/training/stepper.hpp"
#include "squall/training/task.hpp"

namespace squall {

enum class Ended : std::uint8_t { Finished, StoppedByHook, Interrupted };

// Where the trainer's messages go: progress displays, files of metrics. All calls come from the training thread.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void epoch_begins(Index /*epoch*/, Index /*batches*/) {}
  virtual void update_done(const Progress&, Index /*batch*/, Index /*batches*/, double /*loss*/) {}
  // What epoch hooks and rolling training logged in this epoch (path -> value).
  virtual void epoch_ends(const Progress&, const std::vector<std::pair<std::string, double>>&, double /*seconds*/) {}
  virtual void message(const std::string&) {}
};

class Trainer {
 public:
  Trainer(Network& network, std::unique_ptr<Stepper> stepper, std::vector<Task> tasks);

  void add_hook(std::unique_ptr<Hook> hook);  // throws ConfigError when the name is taken
  void set_observer(TrainingObserver* observer) { observer_ = observer; }
  // Another stop request, looked at after every update: Ended::Interrupted.
  void set_interrupt(const std::atomic<int>* flag) { interrupt_ = flag; }

  // Runs epochs until a hook stops, `max_epochs` more epochs are done (0: no limit) or an interrupt. `named` are
  // iterators for monitoring hooks ("validation"). Before the first update every hook runs once with the counters as
  // they are.
  Ended train(DataIterator& data, const std::map<std::string, DataIterator*>& named, Index max_epochs);

  Network& network() const { return network_; }
  Stepper& stepper() const { return *stepper_; }
  Logs& logs() { return logs_; }
  const Logs& logs() const { return logs_; }
  const std::vector<Task>& tasks() const { return tasks_; }
  const Progress& progress() const { return progress_; }
  DataIterator* iterator(std::string_view name) const;  // of the running train(); null if there is none
  const std::vector<std::unique_ptr<Hook>>& hooks() const { return hooks_; }
  void log(const std::string& path, double value);
  void say(const std::string& message);
  double last_loss() const { return last_loss_; }  // of the last update
  Index batch_in_epoch() const { return batch_in_epoch_; }

  // Everything but parameters and stepper state that a continued run needs.
  json save_state() const;
  void load_state(const json& state);

 private:
  bool run_hooks(Timescale timescale);
  bool train_epoch(DataIterator& data);
  void accumulate(const Batch& batch);
  void log_rolling();

  Network& network_;
  std::unique_ptr<Stepper> stepper_;
  std::vector<Task> tasks_;
  std::vector<std::unique_ptr<Hook>> hooks_;
  TrainingObserver* observer_ = nullptr;
  const std::atomic<int>* interrupt_ = nullptr;
  std::map<std::string, DataIterator*> named_;
  Logs logs_;
  Progress progress_;
  PassId pass_;
  Batch batch_;
  Index batch_in_epoch_ = 0;  // batches of the current epoch that are done
  std::map<std::string, ScoreSum> rolling_;
  std::vector<std::pair<std::string, double>> logged_;  // since the epoch began
  double last_loss_ = 0;
  bool started_ = false;
};

}  // namespace squall
