#include "squall/core/masks.hpp"

#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/signals.hpp"
#include "squall/tools/ablation.hpp"
#include "squall/tools/run.hpp"
#include "squall/tools/saved_model.hpp"
#include "squall/training/subnetworks.hpp"

namespace squall::cli {

namespace {

struct MasksOptions {
  std::filesystem::path model, other, data = "data", out;
  std::string split = "test", task;
  bool ablate = false;
  int draws = 5;
};

double share(Index part, Index whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

json density_of(Network& network, std::string& text) {
  const L0Statistics l0 = l0_statistics(network);
  if (l0.layers.empty()) raise<ConfigError>("the network has no learned masks");
  json out = {{"l0", l0.l0}, {"max_l0", l0.max_l0}, {"density", share(l0.l0, l0.max_l0)}, {"layers", json::array()}};
  const auto add = [&](const std::string& name, Index left, Index all) {
    text += fmt::format("{:<24}{:>10} of {:>10}  {:6.2f} %\n", name, left, all, 100 * share(left, all));
  };
  for (const auto& one : l0.layers) {
    add(one.layer, one.l0, one.max_l0);
    out["layers"].push_back(
        {{"layer", one.layer}, {"l0", one.l0}, {"max_l0", one.max_l0}, {"density", share(one.l0, one.max_l0)}});
  }
  add("all", l0.l0, l0.max_l0);
  return out;
}

NetworkOptions seeded(const Context& c) {
  NetworkOptions options;
  options.seed = c.seed.value_or(1);
  return options;
}

int masks(const MasksOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler(), seeded(c));
  set_ablation(model.network(), Ablation::None);
  std::string text;
  json result = density_of(model.network(), text);
  if (!o.other.empty()) {
    SavedModel other(o.other, c.catalog, model.network().handler_pointer());
    const OverlapReport overlap = compare_subnetworks(model.network(), other.network());
    result["overlap"] = overlap.to_json();
    text += "\n" + overlap.text();
  }
  if (o.ablate) {
    ExperimentData data = model.data(o.data);
    const auto& stop = watch_signals();
    result["scores"] = ablation_scores(model.network(), data, model.tasks(o.task), {o.split, o.draws},
                                       [&stop] { return stop.load(std::memory_order_relaxed) != 0; });
    text += "\n" + ablation_text(result["scores"]);
  }
  if (!o.out.empty()) {
    json description = model.description();
    description.erase("architecture");
    save_model(o.out, *apply_masks(model.network()), description);
  }
  c.print(result, text);
  return 0;
}

}  // namespace

void add_masks(CLI::App& app, Context& context) {
  auto o = std::make_shared<MasksOptions>();
  CLI::App* command = add_command(app, context, "masks", "what learned masks leave, share and are worth",
                                  [o, &context] { return masks(*o, context); });
  command->add_option("model", o->model, "model file with learned masks")->required();
  command->add_option("other", o->other, "another one: how much both subnetworks share");
  command->add_flag("--ablate", o->ablate, "scores of the whole, of the subnetwork, and without it or a random one");
  command->add_option("--draws", o->draws, "draws of what is random in --ablate")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--data", o->data, "folder of the data sets")->capture_default_str();
  command->add_option("--split", o->split, "train, validation or test")
      ->check(CLI::IsMember({"train", "validation", "test"}))
      ->capture_default_str();
  command->add_option("--task", o->task, "only this task");
  command->add_option("--out", o->out, "writes the subnetwork alone, with plain masks, which can be converted");
}

}  // namespace squall::cli
