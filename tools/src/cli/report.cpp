#include <fmt/format.h>

#include "cli/context.hpp"
#include "squall/core/nearest.hpp"
#include "squall/io/atomic_file.hpp"
#include "squall/tools/model_report.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::cli {

namespace {

struct ReportOptions {
  std::filesystem::path model, out;
  Index batch = 32;
};

std::string text_of_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return "";
  const auto bytes = read_whole_file(path);
  return std::string(text_of(bytes));
}

// What lies beside the model of a run.
void add_run(ModelReport& report, const std::filesystem::path& folder) {
  report.curves = read_curves(text_of_file(folder / "metrics.jsonl"));
  const json run = json::parse(text_of_file(folder / "report.json"), nullptr, false);
  if (run.is_object()) report.scores = run.value("tasks", json());
}

bool can_be_timed(const Network& network) {
  bool any = false;
  for (const auto& e : network.store().entries()) {
    if (e.form == ParameterForm::Stored) return false;
    any = any || (e.info->maskable && e.slice_shape().rank() >= 2);
  }
  return any;
}

int report(const ReportOptions& o, const Context& c) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(o.model, ignored);
  const auto file = folder ? o.model / "model.h5" : o.model;
  const auto ending = o.out.extension();
  if (!o.out.empty() && ending != ".html" && ending != ".xhtml")
    raise<ConfigError>("--out ", o.out.string(), ": the page is .html or .xhtml");
  SavedModel model(file, c.catalog, c.make_handler());
  const auto tasks = model.tasks();
  ModelReport r = report_model(model.network(), tasks);
  r.title = folder ? std::filesystem::absolute(o.model).lexically_normal().filename().string() : file.stem().string();
  if (r.title.empty()) r.title = "model";
  r.file_bytes = model.bytes();
  if (folder || file.filename() == "model.h5") add_run(r, file.parent_path());
  if (o.batch > 0 && can_be_timed(model.network())) {
    std::vector<std::string> heads;
    for (const auto& task : tasks)
      if (!task.output.empty()) heads.push_back(task.output);
    add_times(r, convert_to_sparse(model.network(), heads, {o.batch}, 3), o.batch);
  }
  if (!o.out.empty()) write_file_atomically(o.out, to_page(r));
  c.print(to_json(r), to_text(r));
  if (!o.out.empty()) c.say(fmt::format("{} written", o.out.string()));
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Context& context) {
  auto o = std::make_shared<ReportOptions>();
  CLI::App* command =
      add_command(app, context, "report", "what a model costs, who owns its weights and how its run went",
                  [o, &context] { return report(*o, context); });
  command->add_option("model", o->model, "model file, or the folder of a run")->required();
  command->add_option("--out", o->out, "page to write: one .html file that needs no other");
  command->add_option("--batch", o->batch, "examples that are timed in each layer; 0: no times")->capture_default_str();
}

}  // namespace squall::cli
