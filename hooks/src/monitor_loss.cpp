// Losses on other data.
#include "support/monitor.hpp"

namespace squall {

namespace {

struct MonitorLossOptions : HookOptions {
  std::string iter_name = "validation";
  static constexpr auto fields =
      std::tuple_cat(hook_fields<MonitorLossOptions>(),
                     std::tuple{field("iter_name", &MonitorLossOptions::iter_name, "the data to measure on")});
};

class MonitorLoss final : public HookOf<MonitorLoss, MonitorLossOptions> {
 public:
  static constexpr std::string_view kType = "MonitorLoss";
  static constexpr std::string_view kDoc =
      "Losses on other data, logged as ITER_NAME.total_loss, ITER_NAME.TASK.loss (under the hook's name where it has "
      "one).";
  void start(Trainer& trainer) override {
    data_ = &monitored_data(trainer, options.iter_name);
    tasks_ = monitored_tasks(trainer, *data_);
    for (auto& task : tasks_) task.scorers.clear();
  }
  Verdict run(Trainer& trainer, const Progress&) override {
    monitor(trainer, *data_, tasks_, options.name.empty() ? options.iter_name : options.name);
    return Verdict::Continue;
  }
  void finish(Trainer&) override { data_ = nullptr; }

 private:
  DataIterator* data_ = nullptr;
  std::vector<Task> tasks_;
};

}  // namespace

void register_monitor_loss(Catalog& catalog) { catalog.of<Hook>().add<MonitorLoss>(); }

}  // namespace squall
