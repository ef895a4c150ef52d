#include "squall/hooks/watched_log.hpp"

#include <algorithm>

#include "squall/core/nearest.hpp"

namespace squall {

namespace {

// Whether all that measures has run after `since`.
bool all_have_measured(const Trainer& trainer, const Progress& since) {
  const Progress now = trainer.progress();
  return now.epoch > since.epoch && std::ranges::all_of(trainer.hooks(), [&](const auto& hook) {
           if (hook->stage() > HookStage::Measure) return true;
           const bool epochs = hook->timescale() == Timescale::Epoch;
           const Index before = epochs ? since.epoch : since.update;
           return (epochs ? now.epoch : now.update) / hook->interval() > before / hook->interval();
         });
}

}  // namespace

const std::vector<double>* WatchedLog::find(const Trainer& trainer, const std::string& hook, const std::string& log) {
  if (const auto* found = trainer.logs().find(log)) return found;
  if (!since_) since_ = trainer.progress();
  if (!all_have_measured(trainer, *since_)) return nullptr;
  std::vector<std::string> known;
  for (const auto& [name, values] : trainer.logs().all()) known.push_back(name);
  std::string hint = did_you_mean(log, known);
  if (hint.empty()) hint = known.empty() ? "; nothing is logged" : "; logs are: " + join(known);
  raise<ConfigError>("hook '", hook, "': there is no log '", log, "' after epoch ", trainer.progress().epoch, hint);
}

}  // namespace squall
