// Losses and scores on other data.
#include "support/monitor.hpp"

namespace squall {

namespace {

struct MonitorScoresOptions : HookOptions {
  std::string iter_name = "validation";
  json scorers = json::array();
  static constexpr auto fields = std::tuple_cat(
      hook_fields<MonitorScoresOptions>(),
      std::tuple{field("iter_name", &MonitorScoresOptions::iter_name, "the data to measure on"),
                 field("scorers", &MonitorScoresOptions::scorers, "scorers instead of those of the tasks")});
};

class MonitorScores final : public HookOf<MonitorScores, MonitorScoresOptions> {
 public:
  static constexpr std::string_view kType = "MonitorScores";
  static constexpr std::string_view kDoc =
      "Losses and scores on other data, logged as ITER_NAME.total_loss, ITER_NAME.TASK.loss, ITER_NAME.TASK.SCORE "
      "(under the hook's name where it has one).";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    if (!options.scorers.is_array()) return problems.add(where, "option 'scorers' should be a list");
    for (std::size_t i = 0; i < options.scorers.size(); ++i) {
      const json& one = options.scorers[i];  // or its name alone, as in tasks
      const json description = one.is_string() ? json{{"@type", one}} : one;
      if (auto made = catalog.of<Scorer>().make(description, concat(where, ".scorers.", i), catalog, problems))
        scorers_.push_back(std::move(made));
    }
  }
  void start(Trainer& trainer) override {
    data_ = &monitored_data(trainer, options.iter_name);
    tasks_ = monitored_tasks(trainer, *data_);
    for (auto& task : tasks_) {
      if (!scorers_.empty()) task.scorers = scorers_;
      complete_task(task, trainer.network().graph());
    }
  }
  Verdict run(Trainer& trainer, const Progress&) override {
    monitor(trainer, *data_, tasks_, options.name.empty() ? options.iter_name : options.name);
    return Verdict::Continue;
  }
  void finish(Trainer&) override { data_ = nullptr; }

 private:
  std::vector<std::shared_ptr<const Scorer>> scorers_;
  DataIterator* data_ = nullptr;
  std::vector<Task> tasks_;
};

}  // namespace

void register_monitor_scores(Catalog& catalog) { catalog.of<Hook>().add<MonitorScores>(); }

}  // namespace squall
