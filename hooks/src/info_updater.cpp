// A file that says how far training is, for programs that watch it.
#include "squall/io/atomic_file.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct InfoUpdaterOptions : HookOptions {
  std::string filename = "info.json";
  static constexpr auto fields = std::tuple_cat(
      hook_fields<InfoUpdaterOptions>(), std::tuple{field("filename", &InfoUpdaterOptions::filename, "where to")});
};

class InfoUpdater final : public HookOf<InfoUpdater, InfoUpdaterOptions> {
 public:
  static constexpr std::string_view kType = "InfoUpdater";
  static constexpr std::string_view kDoc =
      "Writes epoch, update, number of parameters and logs to a JSON file, which is replaced each time.";
  HookStage stage() const override { return HookStage::Save; }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    const json info = {{"epoch", progress.epoch},
                       {"update", progress.update},
                       {"parameters", trainer.network().parameter_count()},
                       {"logs", trainer.logs().to_json()}};
    write_file_atomically(trainer.file(options.filename), info.dump(2) + "\n");
    return Verdict::Continue;
  }
};

}  // namespace

void register_info_updater(Catalog& catalog) { catalog.of<Hook>().add<InfoUpdater>(); }

}  // namespace squall
