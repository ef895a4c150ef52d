// Keeps the network of the best entry of a log, in a file or in memory.
#pragma once

#include "squall/hooks/criterion.hpp"
#include "squall/hooks/parameter_snapshot.hpp"
#include "squall/hooks/watched_log.hpp"

namespace squall {

struct SaveBestNetworkOptions : HookOptions {
  std::string log_name, filename;
  Criterion criterion = Criterion::Auto;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<SaveBestNetworkOptions>(),
      std::tuple{
          field("log_name", &SaveBestNetworkOptions::log_name, "what is watched, as \"validation.total_loss\""),
          field("filename", &SaveBestNetworkOptions::filename, "where to save; empty: keep in memory"),
          field("criterion", &SaveBestNetworkOptions::criterion, "min, max, or auto: min for losses and errors")});
};

class SaveBestNetwork final : public HookOf<SaveBestNetwork, SaveBestNetworkOptions> {
 public:
  static constexpr std::string_view kType = "SaveBestNetwork";
  static constexpr std::string_view kDoc = "Saves the network whenever a log reaches a new best value.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const;
  HookStage stage() const override { return HookStage::Judge; }
  void start(Trainer& trainer) override;
  Verdict run(Trainer& trainer, const Progress& progress) override;
  json save_state() const override;
  void load_state(const json& state) override;
  std::vector<HostArray> save_arrays() const override { return best_.arrays(); }
  void load_arrays(std::vector<HostArray> arrays) override { best_.set_arrays(std::move(arrays)); }

  const ParameterSnapshot& best() const { return best_; }  // empty when saved to a file
  std::optional<double> best_value() const { return best_value_; }
  const Progress& best_at() const { return best_at_; }

 private:
  WatchedLog log_;
  ParameterSnapshot best_;
  std::optional<double> best_value_;
  Progress best_at_;
  Index seen_ = 0;  // entries of the log that were looked at
};

}  // namespace squall
