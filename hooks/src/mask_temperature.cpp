// Sharpens the sigmoids of learned masks while training goes on.
#include "squall/core/masks.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct MaskTemperatureOptions : HookOptions {
  double final_temperature = 200;
  Index epochs = 0;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<MaskTemperatureOptions>(),
      std::tuple{field("final_temperature", &MaskTemperatureOptions::final_temperature,
                       "what the temperature is after so many epochs; it begins with 1"),
                 field("epochs", &MaskTemperatureOptions::epochs, "over how many epochs it grows by the same factor")});
};

class MaskTemperature final : public HookOf<MaskTemperature, MaskTemperatureOptions> {
 public:
  static constexpr std::string_view kType = "MaskTemperature";
  static constexpr std::string_view kDoc =
      "Multiplies the temperature of continuous sparsification by the same factor after each epoch.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (!(options.final_temperature > 0))
      problems.add(where, concat("option 'final_temperature' should be positive, not ", options.final_temperature));
    if (options.epochs < 1) problems.add(where, concat("option 'epochs' should be at least 1, not ", options.epochs));
    if (options.timescale != Timescale::Epoch) problems.add(where, "option 'timescale' should be epoch");
  }
  // Also when training is continued, so that the epoch alone decides.
  void start(Trainer& trainer) override {
    if (set(trainer, trainer.progress().epoch) == 0)
      raise<ConfigError>("the network has no mask of continuous sparsification whose temperature could change");
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    set(trainer, progress.epoch);
    trainer.log(name(), temperature(progress.epoch));
    return Verdict::Continue;
  }

 private:
  double temperature(Index epoch) const {
    return annealed_temperature(options.final_temperature, options.epochs, std::min(epoch, options.epochs));
  }
  int set(Trainer& trainer, Index epoch) const { return set_mask_temperature(trainer.network(), temperature(epoch)); }
};

}  // namespace

void register_mask_temperature(Catalog& catalog) { catalog.of<Hook>().add<MaskTemperature>(); }

}  // namespace squall
