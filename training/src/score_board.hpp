// Sums of losses and scores over batches, read after forward passes.
#pragma once

#include <span>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/training/evaluate.hpp"
#include "squall/training/task.hpp"

namespace squall {

class ScoreBoard {
 public:
  ScoreBoard(Network& network, std::span<const Task> tasks);
  void clear();
  // Adds the pass that just ran on this batch; gives its total loss. Pieces of one batch after the first (`begins` is
  // false) add to the losses of the same examples.
  double add(const Batch& batch, bool begins = true);
  std::vector<TaskScores> scores() const;
  bool empty() const;
  json save() const;
  void load(const json& j);

 private:
  struct Loss {
    std::string name;
    int node = -1, slot = -1;
    std::string input;    // its batch size weighs the loss
    int batch_axis = -1;  // of that field
    ScoreSum sum;
  };
  struct Score {
    std::shared_ptr<const Scorer> scorer;
    ScoreSum sum;
  };
  struct Scored {  // one task; its loss is losses_ of the same index
    Task task;
    int node = -1, slot = -1;
    std::vector<Score> scores;
    HostArray predicted;
  };
  Loss loss_of(const std::string& layer, const std::string& input) const;
  double add_loss(Loss& loss, const Batch& batch, bool begins);
  void add_scores(Scored& one, const Batch& batch);

  Network& network_;
  std::vector<Loss> losses_;  // of the tasks, then side losses
  std::vector<Scored> tasks_;
  ScoreSum penalty_;  // of learned masks; no weight where there is none
};

}  // namespace squall
