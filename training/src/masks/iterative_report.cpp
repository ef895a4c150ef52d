// The report of train_model_iteratively as JSON and as a table.
#include <cstdio>

#include "squall/training/train_iteratively.hpp"

namespace squall {

json IterativeReport::to_json() const {
  json out = {{"tasks", json::array()}, {"masks", masks.to_json()}};
  for (const auto& t : tasks) {
    json rungs = json::array();
    for (const auto& r : t.rungs)
      rungs.push_back({{"percentile", r.percentile},
                       {"loss", r.loss},
                       {"epochs", r.epochs},
                       {"accepted", r.accepted},
                       {"forced", r.forced}});
    out["tasks"].push_back({{"task", t.task},
                            {"percentile", t.percentile},
                            {"density", t.density},
                            {"free", t.free},
                            {"dense_loss", t.dense_loss},
                            {"sparse_loss", t.sparse_loss},
                            {"epochs", t.epochs},
                            {"rungs", rungs}});
  }
  return out;
}

std::string IterativeReport::text() const {
  std::string out = "task                 pruned  density     free  dense loss  sparse loss  epochs\n";
  for (const auto& t : tasks) {
    char line[160];
    std::snprintf(line, sizeof line, "%-18.18s %6.1f %%  %5.1f %%  %5.1f %%  %10.4g  %11.4g  %6lld\n", t.task.c_str(),
                  t.percentile, 100 * t.density, 100 * t.free, t.dense_loss, t.sparse_loss,
                  static_cast<long long>(t.epochs));
    out += line;
    for (const auto& r : t.rungs)
      if (r.forced)
        out += "note: task '" + t.task + "' is sparser than its loss allows, so that later tasks have room\n";
  }
  return out + masks.text();
}

}  // namespace squall
