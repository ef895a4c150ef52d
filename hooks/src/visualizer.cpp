// Curves of logs, drawn again while training goes on.
#include <unistd.h>

#include "squall/io/atomic_file.hpp"
#include "squall/training/trainer.hpp"
#include "support/plot.hpp"

namespace squall {

namespace {

struct VisualizerOptions : HookOptions {
  json log_names;
  std::string filename = "logs.svg";
  bool terminal = true;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<VisualizerOptions>(),
      std::tuple{field("log_names", &VisualizerOptions::log_names, "a log or a list of logs"),
                 field("filename", &VisualizerOptions::filename, "where the picture (SVG) goes; empty: nowhere"),
                 field("terminal", &VisualizerOptions::terminal, "also as text, where messages go to a terminal")});
};

class Visualizer final : public HookOf<Visualizer, VisualizerOptions> {
 public:
  static constexpr std::string_view kType = "Visualizer";
  static constexpr std::string_view kDoc = "Draws logs as curves, into a file and on the terminal.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    if (options.log_names.is_string())
      logs_.push_back(options.log_names.get<std::string>());
    else if (read_value(options.log_names, logs_) || logs_.empty())
      problems.add(where, "option 'log_names' should be a text or a list of texts");
  }
  HookStage stage() const override { return HookStage::Save; }
  // Logs that are not there yet are left out.
  Verdict run(Trainer& trainer, const Progress& progress) override {
    std::vector<PlotLine> curves;
    for (const auto& name : logs_)
      if (const auto* log = trainer.logs().find(name)) curves.push_back({name, *log});
    if (!options.filename.empty())
      write_file_atomically(trainer.file(options.filename), plot_svg(curves, concat("epoch ", progress.epoch)));
    if (options.terminal && !curves.empty() && isatty(STDERR_FILENO) == 1)
      trainer.say(concat("\n", plot_text(curves, 60, 12)));
    return Verdict::Continue;
  }

 private:
  std::vector<std::string> logs_;
};

}  // namespace

void register_visualizer(Catalog& catalog) { catalog.of<Hook>().add<Visualizer>(); }

}  // namespace squall
