#include "squall/tools/ablation.hpp"

#include <fmt/format.h>

#include "squall/tools/run.hpp"

namespace squall {

namespace {

struct Mode {
  const char* name;
  Ablation ablation;
  bool random;
};
constexpr Mode kModes[] = {{"zero_ablate", Ablation::ZeroAblate, false},
                           {"randomly_sampled", Ablation::RandomlySampled, true},
                           {"complement_sampled", Ablation::ComplementSampled, true},
                           {"random_ablate", Ablation::RandomAblate, true}};

// Adds the scores of one draw: sums, and the least and largest of each.
void add_draw(json& sum, const json& scores) {
  for (const auto& [task, values] : scores.items())
    for (const auto& [name, value] : values.items()) {
      json& one = sum[task][name];
      const double v = value.get<double>();
      if (one.is_null()) one = {{"mean", 0.0}, {"least", v}, {"largest", v}};
      one["mean"] = one["mean"].get<double>() + v;
      one["least"] = std::min(one["least"].get<double>(), v);
      one["largest"] = std::max(one["largest"].get<double>(), v);
    }
}

void divide(json& sum, int draws) {
  for (auto& task : sum)
    for (auto& one : task) one["mean"] = one["mean"].get<double>() / draws;
}

}  // namespace

json ablation_scores(Network& network, ExperimentData& data, const std::vector<Task>& tasks,
                     const AblationOptions& options, const std::function<bool()>& stop) {
  struct Setting {
    Ablation ablation;
    bool use;
  };
  std::vector<Setting> before;
  for (const auto& one : masked_parameters(network)) before.push_back({one.mask->ablation(), one.mask->use_masks()});
  if (before.empty()) raise<ConfigError>("the network has no learned masks to ablate");
  const auto score = [&] {
    json scores = score_tasks(network, data, tasks, options.split, stop);
    for (auto& task : scores) task.erase("density");  // of plain masks
    return scores;
  };
  json out;
  set_ablation(network, Ablation::None);
  set_use_masks(network, false);
  out["whole"] = score();
  set_use_masks(network, true);
  out["subnetwork"] = score();
  for (const auto& mode : kModes) {
    json& result = out[mode.name] = json::object();
    try {
      for (int draw = 0; draw < (mode.random ? options.draws : 1); ++draw) {
        set_ablation(network, mode.ablation, draw > 0);
        if (mode.random)
          add_draw(result, score());
        else
          result = score();
      }
      if (mode.random) divide(result, options.draws);
    } catch (const ConfigError& e) {
      result = {{"refused", e.what()}};
    }
  }
  std::size_t i = 0;
  for (const auto& one : masked_parameters(network)) {
    one.mask->set_ablation(before[i].ablation);
    one.mask->set_use_masks(before[i++].use);
  }
  return out;
}

std::string ablation_text(const json& scores) {
  std::string out;
  for (const char* name :
       {"whole", "subnetwork", "zero_ablate", "randomly_sampled", "complement_sampled", "random_ablate"}) {
    if (!scores.contains(name)) continue;
    if (scores[name].contains("refused")) {
      out += fmt::format("{:<20}{}\n", name, scores[name]["refused"].get<std::string>());
      continue;
    }
    for (const auto& [task, values] : scores[name].items()) {
      out += fmt::format("{:<20}{}:", name, task);
      for (const auto& [score, value] : values.items())
        out += value.is_object() ? fmt::format("  {}={:.4g} ({:.4g} to {:.4g})", score, value["mean"].get<double>(),
                                               value["least"].get<double>(), value["largest"].get<double>())
                                 : fmt::format("  {}={:.4g}", score, value.get<double>());
      out += "\n";
    }
  }
  return out;
}

}  // namespace squall
