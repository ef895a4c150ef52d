// The report of train_model_iteratively as JSON and as a table.
#include <cstdio>

#include "squall/training/train_iteratively.hpp"

namespace squall {

json to_json(const TaskReport& t) {
  json rungs = json::array();
  for (const auto& r : t.rungs)
    rungs.push_back({{"percentile", r.percentile},
                     {"loss", r.loss},
                     {"epochs", r.epochs},
                     {"accepted", r.accepted},
                     {"forced", r.forced}});
  return {{"task", t.task},
          {"percentile", t.percentile},
          {"density", t.density},
          {"free", t.free},
          {"dense_loss", t.dense_loss},
          {"sparse_loss", t.sparse_loss},
          {"epochs", t.epochs},
          {"rungs", rungs}};
}

TaskReport read_task_report(const json& j) {
  TaskReport t;
  t.task = j.at("task").get<std::string>();
  t.percentile = j.at("percentile").get<double>();
  t.density = j.at("density").get<double>();
  t.free = j.at("free").get<double>();
  t.dense_loss = j.at("dense_loss").get<double>();
  t.sparse_loss = j.at("sparse_loss").get<double>();
  t.epochs = j.at("epochs").get<Index>();
  for (const json& r : j.at("rungs"))
    t.rungs.push_back({r.at("percentile").get<double>(), r.at("loss").get<double>(), r.at("epochs").get<Index>(),
                       r.at("accepted").get<bool>(), r.at("forced").get<bool>()});
  return t;
}

json IterativeReport::to_json() const {
  json out = {{"tasks", json::array()}, {"masks", masks.to_json()}};
  for (const auto& t : tasks) out["tasks"].push_back(squall::to_json(t));
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
