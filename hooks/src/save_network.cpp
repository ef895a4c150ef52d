// Writes the network to a file.
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct SaveNetworkOptions : HookOptions {
  std::string filename;
  static constexpr auto fields =
      std::tuple_cat(hook_fields<SaveNetworkOptions>(),
                     std::tuple{field("filename", &SaveNetworkOptions::filename,
                                      "where to; {epoch} and {update} in it stand for their numbers")});
};

class SaveNetwork final : public HookOf<SaveNetwork, SaveNetworkOptions> {
 public:
  static constexpr std::string_view kType = "SaveNetwork";
  static constexpr std::string_view kDoc = "Saves the network each time, whether it has become better or not.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.filename.empty()) problems.add(where, "option 'filename' should say where to");
  }
  HookStage stage() const override { return HookStage::Save; }
  void start(Trainer& trainer) override {
    if (!trainer.network_writer())
      raise<ConfigError>("there is nothing that could write '", options.filename,
                         "'; Trainer::set_network_writer sets it");
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    std::string file = options.filename;
    replace(file, "{epoch}", progress.epoch);
    replace(file, "{update}", progress.update);
    trainer.network_writer()(trainer.network(), file);
    return Verdict::Continue;
  }

 private:
  static void replace(std::string& text, std::string_view what, Index number) {
    if (const auto at = text.find(what); at != std::string::npos) text.replace(at, what.size(), std::to_string(number));
  }
};

}  // namespace

void register_save_network(Catalog& catalog) { catalog.of<Hook>().add<SaveNetwork>(); }

}  // namespace squall
