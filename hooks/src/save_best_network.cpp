#include "squall/hooks/save_best_network.hpp"

#include <cmath>

namespace squall {

void SaveBestNetwork::resolve(const Catalog&, std::string_view where, Problems& problems) const {
  if (options.log_name.empty()) problems.add(where, "option 'log_name' should say what is watched");
}

void SaveBestNetwork::start(Trainer& trainer) {
  if (!options.filename.empty() && !trainer.network_writer())
    raise<ConfigError>("there is nothing that could write '", options.filename,
                       "'; Trainer::set_network_writer sets it");
}

Verdict SaveBestNetwork::run(Trainer& trainer, const Progress& progress) {
  const auto* log = log_.find(trainer, name(), options.log_name);
  if (log == nullptr || static_cast<Index>(log->size()) <= seen_) return Verdict::Continue;
  seen_ = static_cast<Index>(log->size());
  const bool smaller = smaller_is_better(options.criterion, options.log_name);
  if (std::isnan(log->back()) || (best_value_ && !is_better(log->back(), *best_value_, smaller)))
    return Verdict::Continue;
  if (options.filename.empty())
    best_.capture(trainer.network());
  else
    trainer.network_writer()(trainer.network(), options.filename);
  best_value_ = log->back();
  best_at_ = progress;
  return Verdict::Continue;
}

json SaveBestNetwork::save_state() const {
  json state = {{"seen", seen_}, {"epoch", best_at_.epoch}, {"update", best_at_.update}};
  if (best_value_ && std::isfinite(*best_value_)) state["best_value"] = *best_value_;
  return state;
}

void SaveBestNetwork::load_state(const json& state) {
  seen_ = state.value("seen", Index{0});
  best_at_ = {state.value("epoch", Index{0}), state.value("update", Index{0})};
  best_value_.reset();
  if (state.contains("best_value")) best_value_ = state["best_value"].get<double>();
  best_.clear();
}

void register_save_best_network(Catalog& catalog) { catalog.of<Hook>().add<SaveBestNetwork>(); }

}  // namespace squall
