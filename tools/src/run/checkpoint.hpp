// Everything a continued run needs, in one file that is replaced atomically.
#pragma once

#include <filesystem>
#include <optional>

#include "squall/io/model_file.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

struct CheckpointInfo {
  std::size_t phase = 0;            // the running one
  bool phase_done = false;          // the next one begins, if there is one
  Index metrics_lines = 0;          // of metrics.jsonl that belong to it
  double seconds = 0;               // trained so far
  json epochs = json::object();     // finished epochs by task
  json iterative = json::object();  // of iterative stages, by their number: reports of finished tasks
};

// Keeps `keep` files: NAME.h5, NAME.1.h5 (the one before), ...
void save_checkpoint(const std::filesystem::path& path, Index keep, const Network& network, const Trainer* trainer,
                     const CheckpointInfo& info, const json& description);

class Checkpoint {
 public:
  explicit Checkpoint(const std::filesystem::path& path) : file_(path) {}
  CheckpointInfo info() const;
  // Inside a phase, or at the end of the last one, before hooks finished it; how that ended.
  bool has_trainer() const;
  Ended ended() const;
  const json& description() const { return file_.description(); }
  void restore(Network& network) const;
  void restore(Trainer& trainer) const;  // after the network; its stepper has been started

 private:
  ModelFile file_;
};

}  // namespace squall
