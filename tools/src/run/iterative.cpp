// A stage whose tasks come one after another, each pruned step by step: Runner around train_model_iteratively.
#include "run/runner.hpp"
#include "squall/tools/iterative_stage.hpp"

namespace squall {

namespace {

// The epochs of a fit as lines of metrics.jsonl.
class Lines {
 public:
  Lines(MetricsFile& file, std::size_t phase, std::vector<std::string> tasks)
      : file_(file), phase_(phase), tasks_(std::move(tasks)) {}

  void add(const json& event, double seconds, TrainingObserver* observer) {
    const std::string& task = tasks_[event.at("task").get<std::size_t>()];
    if (event.at("event") == "mask") {
      pruned_ = event.at("percentile").get<double>();
      return;
    }
    const json &loss = event.at("loss"), &validation = event.at("val_loss");
    for (std::size_t i = 0; i < loss.size(); ++i) {
      Progress progress;
      progress.epoch = ++epochs_[task];
      const std::vector<std::pair<std::string, double>> values{
          {"training." + task + ".loss", loss[i].get<double>()},
          {"validation." + task + ".loss", validation[i].get<double>()},
          {task + ".pruned", pruned_}};
      file_.add(phase_, progress, values, seconds);
      if (observer != nullptr) observer->epoch_ends(progress, values, seconds);
    }
  }
  void next_task() { pruned_ = 0; }

 private:
  MetricsFile& file_;
  std::size_t phase_;
  std::vector<std::string> tasks_;
  std::map<std::string, Index> epochs_;
  double pruned_ = 0;
};

json to_json(const std::vector<TaskReport>& reports) {
  json out = json::array();
  for (const auto& r : reports) out.push_back(squall::to_json(r));
  return out;
}

}  // namespace

// A checkpoint holds finished tasks; the running one begins again.
Ended Runner::run_iterative(const Phase& phase) {
  const StageOptions& stage = experiment_.stages[phase.stage];
  std::vector<std::unique_ptr<DataIterator>> data;
  std::vector<IterativeTask> tasks;
  for (auto& task : make_tasks(experiment_.tasks, phase.tasks, network_.graph(), catalog_)) {
    data.push_back(data_.training({task.name}, stage.batch_size, stage.shuffle, Mix::Cycle));
    data.push_back(data_.scoring(task.name, "validation"));
    tasks.push_back({std::move(task), data[data.size() - 2].get(), data.back().get()});
  }
  const std::string key = std::to_string(phase.stage);
  IterativeStart start;
  for (const json& one : info_.iterative.value(key, json::array())) start.finished.push_back(read_task_report(one));
  begin_folder();
  if (start.finished.empty()) save_now(nullptr, false);
  Lines lines(*metrics_, info_.phase, phase.tasks);
  IterativeOptions options = iterative_options(stage);
  options.observer = [&](const json& event) { lines.add(event, seconds(), options_.observer); };
  options.should_stop = [this] {
    return options_.interrupt != nullptr && options_.interrupt->load(std::memory_order_relaxed) != 0;
  };
  start.task_done = [&](const std::vector<TaskReport>& done) {
    lines.next_task();
    info_.iterative[key] = to_json(done);
    info_.epochs[done.back().task] = info_.epochs.value(done.back().task, Index{0}) + done.back().epochs;
    save_now(nullptr, false);
  };
  const IterativeReport report = train_model_iteratively(network_, tasks, options, start);
  if (report.interrupted) return Ended::Interrupted;
  message(report.text());
  save_now(nullptr, true);
  return Ended::Finished;
}

}  // namespace squall
