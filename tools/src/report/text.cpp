// The report of a model as JSON and as a table.
#include <fmt/format.h>

#include "squall/tools/model_report.hpp"

namespace squall {

namespace {

json layer_json(const LayerFacts& f, bool timed) {
  json j = {{"layer", f.layer},
            {"task", f.task},
            {"weights", f.weights},
            {"kept", f.kept},
            {"owned", f.owned},
            {"density", f.density()},
            {"dead_units", f.dead_units},
            {"dense_operations", f.dense_operations},
            {"operations", f.operations},
            {"dense_bytes", f.dense_bytes},
            {"bytes", f.bytes}};
  if (timed && f.dense_us >= 0) {
    j["format"] = f.format;
    j["dense_us"] = f.dense_us;
    j["packed_us"] = f.packed_us;
  }
  return j;
}

std::string share(Index part, Index whole) {
  return whole > 0 ? fmt::format("{:.2f} %", 100 * static_cast<double>(part) / static_cast<double>(whole)) : "-";
}

std::string overlap_text(const ModelReport& r) {
  std::string text = fmt::format("\n{:<18}", "used by both");
  for (const auto& task : r.tasks) text += fmt::format("{:>14.13}", task);
  text += "\n";
  for (std::size_t a = 0; a < r.tasks.size(); ++a) {
    text += fmt::format("{:<18.17}", r.tasks[a]);
    for (const Index n : r.overlap[a]) text += fmt::format("{:>14}", n);
    text += "\n";
  }
  return text +
         fmt::format("{} of {} weights that tasks divide are free ({})\n", r.free, r.divided, share(r.free, r.divided));
}

}  // namespace

json to_json(const ModelReport& r) {
  json out = {
      {"title", r.title}, {"tasks", json::object()},     {"layers", json::array()},          {"overlap", r.overlap},
      {"free", r.free},   {"divided", r.divided},        {"owned_twice", r.masks.overlap()}, {"bytes", r.file_bytes},
      {"batch", r.batch}, {"warnings", r.masks.warnings}};
  for (const auto& t : r.totals) {
    json& j = out["tasks"][t.task];
    j = {{"weights", t.weights},
         {"kept", t.kept},
         {"owned", t.owned},
         {"dense_operations", t.dense_operations},
         {"operations", t.operations},
         {"bytes", t.bytes},
         {"density", r.masks.density(t.task)}};
    if (r.scores.is_object() && r.scores.contains(t.task)) j["scores"] = r.scores[t.task];
  }
  for (const auto& f : r.layers) out["layers"].push_back(layer_json(f, r.batch > 0));
  out["curves"] = json::object();
  for (const auto& c : r.curves) {
    json values = json::array();
    for (const auto& [x, y] : c.points) values.push_back({x, y});
    out["curves"][c.name] = values;
  }
  return out;
}

std::string to_text(const ModelReport& r) {
  std::string text = fmt::format("{}: {} bytes\n{:<16}{:<14}{:>11}{:>11}{:>10}{:>6}{:>14}{:>12}", r.title, r.file_bytes,
                                 "layer", "task", "weights", "kept", "density", "dead", "operations", "bytes");
  if (r.batch > 0) text += fmt::format("  {:<10}{:>11}{:>11}  (batch {})", "format", "dense us", "packed us", r.batch);
  text += "\n";
  for (const auto& f : r.layers) {
    text += fmt::format("{:<16.15}{:<14.13}{:>11}{:>11}{:>10.4f}{:>6}{:>14}{:>12}", f.layer, f.task, f.weights, f.kept,
                        f.density(), f.dead_units, f.operations, f.bytes);
    if (f.dense_us >= 0) text += fmt::format("  {:<10}{:>11.1f}{:>11.1f}", f.format, f.dense_us, f.packed_us);
    text += "\n";
  }
  for (const auto& t : r.totals)
    text += fmt::format("{:<16}{:<14.13}{:>11}{:>11}{:>10.4f}{:>6}{:>14}{:>12}\n", "all", t.task, t.weights, t.kept,
                        static_cast<double>(t.kept) / static_cast<double>(std::max<Index>(1, t.weights)), "",
                        t.operations, t.bytes);
  if (r.divided > 0) text += overlap_text(r);
  for (const auto& w : r.masks.warnings) text += "note: " + w + "\n";
  return text;
}

}  // namespace squall
