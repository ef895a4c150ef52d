// Drives a stepper over data, with hooks. Counters and logs go on over several calls of train(), and over a checkpoint.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>

#include "squall/training/data_iterator.hpp"
#include "squall/training/evaluate.hpp"
#include "squall/training/hook.hpp"
#include "squall/training/stepper.hpp"
#include "squall/training/task.hpp"

namespace squall {

class ScoreBoard;
class TimePieces;

// Failed: by an exception, which train() passes on.
enum class Ended : std::uint8_t { Finished, StoppedByHook, Interrupted, Failed };

// Where the trainer's messages go: progress displays, files of metrics. All calls come from the training thread.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void epoch_begins(Index /*epoch, from 1*/, Index /*batches*/) {}
  virtual void update_done(const Progress&, Index /*batch*/, Index /*batches*/, double /*loss*/) {}
  // What hooks and rolling training logged in this epoch (path -> value); once before the first one, with epoch 0, when
  // hooks logged anything then.
  virtual void epoch_ends(const Progress&, const std::vector<std::pair<std::string, double>>&, double /*seconds*/) {}
  virtual void message(const std::string&) {}
  // Values of this path are not to be shown: the hook that logs them is not verbose. Once for each path.
  virtual void hides(const std::string& /*path*/) {}
};

// Writes the network to a file; what the format is, is the business of whoever made the trainer.
using NetworkWriter = std::function<void(const Network&, const std::string& file)>;

class Trainer {
 public:
  // Tasks are completed (complete_task). No tasks: all losses of the network are trained.
  Trainer(Network& network, std::unique_ptr<Stepper> stepper, std::vector<Task> tasks);
  ~Trainer();

  void add_hook(std::unique_ptr<Hook> hook);  // throws ConfigError when the name is taken
  void set_observer(TrainingObserver* observer) { observer_ = observer; }
  void set_network_writer(NetworkWriter writer) { writer_ = std::move(writer); }  // for hooks that save
  const NetworkWriter& network_writer() const { return writer_; }                 // may be empty
  // Another stop request, looked at after every batch: Ended::Interrupted.
  void set_interrupt(const std::atomic<int>* flag) { interrupt_ = flag; }
  // Truncated back-propagation: each batch of sequences is cut in time into pieces of so many steps (the last may be
  // shorter), one update each; contexts are carried from piece to piece. 0: not cut.
  void set_truncation(Index steps);
  // Patterns of layers that this training leaves as they are: their parameters get no gradient, no update and no
  // modifier, and their states (statistics) are used as they are.
  void set_frozen(std::vector<std::string> patterns) { frozen_ = std::move(patterns); }
  // Gradients of the last step can be read from the network although no hook does (see Stepper::keep_gradients).
  void keep_gradients() { keep_gradients_ = true; }
  // Masks are fixed: trains kept weights alone where that is faster (Network::keep_only_masked) unless a hook changes
  // masks. After hooks have been added and modifiers installed, before a state is loaded. Gives how many parameters.
  Index keep_only_masked();
  // Where relative names of files written by hooks belong; empty: the current folder.
  void set_folder(std::filesystem::path folder) { folder_ = std::move(folder); }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  // Runs epochs until a hook stops, `max_epochs` more epochs are done (0: no limit) or an interrupt. `named` are
  // iterators for monitoring hooks ("validation"). Before the first update every hook runs once with the counters as
  // they are.
  // Throws NumericError when the loss is not finite, or a parameter after an epoch: before hooks could save it.
  Ended train(DataIterator& data, const std::map<std::string, DataIterator*>& named, Index max_epochs);

  Network& network() const { return network_; }
  Stepper& stepper() const { return *stepper_; }
  Logs& logs() { return logs_; }
  const Logs& logs() const { return logs_; }
  const std::vector<Task>& tasks() const { return tasks_; }
  const Progress& progress() const { return progress_; }
  DataIterator* iterator(std::string_view name) const;  // of the running train(); null if there is none
  const std::vector<std::unique_ptr<Hook>>& hooks() const { return hooks_; }  // in the order in which they run
  void log(const std::string& path, double value);
  void say(const std::string& message);
  double last_loss() const { return last_loss_; }  // of the last update
  Index batch_in_epoch() const { return batch_in_epoch_; }
  // Ends a training that was over when it was saved once more: only finish() of its hooks, for what they do then.
  void finish_again(Ended how);
  Ended ended() const { return ended_; }  // how the last train() ended, also for Hook::finish

  // Everything but parameters and states of the network and the stepper's state that a continued run needs: counters,
  // rolling sums, logs, hooks. Arrays of hooks are apart, by "HOOK/NUMBER". Hooks must have been added before.
  json save_state() const;
  void load_state(const json& state);
  std::vector<std::pair<std::string, HostArray>> save_arrays() const;
  void load_arrays(const std::vector<std::pair<std::string, HostArray>>& arrays);

 private:
  void prepare(DataIterator& data);
  void register_pass();
  void start_hooks();
  Ended run(DataIterator& data, Index max_epochs);
  bool first_hooks();
  bool run_hooks(Timescale timescale);
  Ended train_epoch(DataIterator& data);
  bool train_batch(Index batches);
  void finish_hooks(Ended how);
  bool interrupted() const { return interrupt_ != nullptr && interrupt_->load(std::memory_order_relaxed) != 0; }

  Network& network_;
  std::unique_ptr<Stepper> stepper_;
  std::vector<Task> tasks_;
  std::vector<std::unique_ptr<Hook>> hooks_;
  TrainingObserver* observer_ = nullptr;
  NetworkWriter writer_;
  const std::atomic<int>* interrupt_ = nullptr;
  std::map<std::string, DataIterator*> named_;
  Logs logs_;
  Progress progress_;
  PassId pass_;
  Batch batch_;
  std::unique_ptr<TimePieces> pieces_;
  Index truncate_ = 0;
  std::vector<std::string> frozen_;
  bool keep_gradients_ = false;
  std::filesystem::path folder_;
  Index batch_in_epoch_ = 0;  // batches of the current epoch that are done
  std::unique_ptr<ScoreBoard> rolling_;
  std::vector<std::pair<std::string, double>> logged_;  // since the epoch began
  std::set<std::string> hidden_;                        // paths that the observer was told not to show
  bool quiet_ = false;                                  // while a hook runs that is not verbose
  double last_loss_ = 0;
  bool started_ = false;
  Ended ended_ = Ended::Finished;
};

}  // namespace squall
