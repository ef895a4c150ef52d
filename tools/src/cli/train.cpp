#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/dry_run.hpp"
#include "cli/signals.hpp"
#include "cli/usage.hpp"
#include "progress/progress.hpp"
#include "squall/tools/run.hpp"

namespace squall::cli {

namespace {

struct TrainOptions {
  std::filesystem::path experiment, data, out;
  std::vector<std::string> sets;
  bool resume = false, dry_run = false;
};

// A score of a task; "-" where it has none.
std::string score(const json& task, const char* name) {
  const auto found = task.find(name);
  return found != task.end() && found->is_number() ? fmt::format("{:.4f}", found->get<double>()) : "-";
}

std::string table(const json& report) {
  std::string text = fmt::format("{:<16}{:>10}{:>10}{:>10}{:>8}\n", "task", "accuracy", "loss", "density", "epochs");
  for (const auto& [name, t] : report["tasks"].items())
    text += fmt::format("{:<16}{:>10}{:>10}{:>10}{:>8}\n", name, score(t, "accuracy"), score(t, "loss"),
                        score(t, "density"), t.value("epochs", 0));
  return text + fmt::format("{} parameters, {} bytes, {:.1f} s, overlap {}\n", report["parameters"].get<Index>(),
                            report["model_bytes"].get<Index>(), report["seconds"].get<double>(),
                            report["overlap"].get<Index>());
}

int train(const TrainOptions& o, const Context& c) {
  RunOptions run;
  run.data = o.data.empty() ? o.experiment.parent_path() / "data" : o.data;
  run.out = o.out.empty() ? std::filesystem::path("runs") / o.experiment.stem() : o.out;
  run.resume = o.resume;
  FileChecks files;
  std::error_code ignored;
  files.init_from = !o.resume || !std::filesystem::exists(run.out / "checkpoint.h5", ignored);
  if (!o.dry_run) files.data = run.data;
  const Experiment experiment = read_experiment(o.experiment, o.sets, c.seed, c.catalog, files);
  if (o.dry_run) return dry_run(experiment, c);
  run.interrupt = &watch_signals();
  const auto progress = make_progress(c.progress, c.quiet);
  run.observer = progress.get();
  if (c.verbose) run.detail = [&c](const std::string& text) { c.say(text); };
  const RunResult result = run_experiment(experiment, run, c.catalog, c.make_handler(), c.thread_count());
  if (result.interrupted) {
    c.say(fmt::format("stopped; {} holds everything, go on with --resume", (run.out / "checkpoint.h5").string()));
    return kStoppedAndSaved;
  }
  c.print(result.report, table(result.report));
  c.say(fmt::format("everything is in {}", run.out.string()));
  return 0;
}

}  // namespace

void add_train(CLI::App& app, Context& context) {
  auto o = std::make_shared<TrainOptions>();
  CLI::App* command =
      add_command(app, context, "train", "runs an experiment", [o, &context] { return train(*o, context); });
  command->add_option("experiment", o->experiment, "experiment file (JSON)")->required();
  command->add_option("--data", o->data, "folder of the data sets; default: data beside the file");
  command->add_option("--out", o->out, "run folder; default: runs/NAME");
  command->add_option("--set", o->sets, "PATH=VALUE: change one value of the experiment")
      ->allow_extra_args(false)
      ->check(assignment);
  command->add_flag("--resume", o->resume, "go on from the run folder's checkpoint");
  command->add_flag("--dry-run", o->dry_run, "show shapes, parameters and memory, and stop");
}

}  // namespace squall::cli
