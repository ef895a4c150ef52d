// Ends training as failed when a number is not finite any more.
#include <algorithm>
#include <cmath>

#include "squall/core/ops/elementwise.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct StopOnNanOptions : HookOptions {
  json logs_to_check = json::array();
  bool check_parameters = true, check_training_loss = true;
  static constexpr auto fields = std::tuple_cat(
      hook_fields<StopOnNanOptions>(),
      std::tuple{
          field("logs_to_check", &StopOnNanOptions::logs_to_check, "a log or a list of logs"),
          field("check_parameters", &StopOnNanOptions::check_parameters, "look at all parameters"),
          field("check_training_loss", &StopOnNanOptions::check_training_loss, "look at the loss of the last update")});
};

class StopOnNan final : public HookOf<StopOnNan, StopOnNanOptions> {
 public:
  static constexpr std::string_view kType = "StopOnNan";
  static constexpr std::string_view kDoc =
      "Training fails, naming the layer, when a parameter, the loss or a log is not finite.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    if (options.logs_to_check.is_string())
      logs_.push_back(options.logs_to_check.get<std::string>());
    else if (read_value(options.logs_to_check, logs_))
      problems.add(where, "option 'logs_to_check' should be a text or a list of texts");
  }
  HookStage stage() const override { return HookStage::Judge; }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    if (const std::string what = wrong(trainer); !what.empty()) {
      const std::string layer = trainer.network().first_non_finite();
      raise<NumericError>(what, " is not finite in epoch ", progress.epoch + (trainer.batch_in_epoch() > 0 ? 1 : 0),
                          ", update ", progress.update,
                          layer.empty() ? std::string() : "; the first layer with such a number is '" + layer + "'",
                          "; a smaller learning rate or clipped gradients may help");
    }
    return Verdict::Continue;
  }

 private:
  std::string wrong(const Trainer& trainer) const {
    if (options.check_training_loss && !std::isfinite(trainer.last_loss())) return "the training loss";
    const Network& network = trainer.network();
    const Tensor flat = network.parameters();
    if (options.check_parameters && flat.elements() > 0 &&
        !network.handler().elementwise().all_finite(ConstMatrix(flat.reshaped(Shape{1, flat.elements()}))))
      return "a parameter";
    for (const auto& name : logs_) {
      const auto* log = trainer.logs().find(name);
      if (log != nullptr && !std::ranges::all_of(*log, [](double v) { return std::isfinite(v); }))
        return "'" + name + "'";
    }
    return {};
  }
  std::vector<std::string> logs_;
};

}  // namespace

void register_stop_on_nan(Catalog& catalog) { catalog.of<Hook>().add<StopOnNan>(); }

}  // namespace squall
