// Changes an option of the stepper while training goes on.
#include "squall/training/trainer.hpp"

namespace squall {

namespace {

struct ModifyStepperAttributeOptions : HookOptions {
  json schedule;
  std::string attr_name = "learning_rate";
  static constexpr auto fields = std::tuple_cat(
      hook_fields<ModifyStepperAttributeOptions>(),
      std::tuple{field("schedule", &ModifyStepperAttributeOptions::schedule, "the values it takes"),
                 field("attr_name", &ModifyStepperAttributeOptions::attr_name, "the option of the stepper")});
};

class ModifyStepperAttribute final : public HookOf<ModifyStepperAttribute, ModifyStepperAttributeOptions> {
 public:
  static constexpr std::string_view kType = "ModifyStepperAttribute";
  static constexpr std::string_view kDoc = "Sets an option of the stepper to what a schedule says.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    schedule_ = catalog.of<Schedule>().make(options.schedule, concat(where, ".schedule"), catalog, problems);
  }
  // Also when training is continued: then the value is that of the last time this ran.
  void start(Trainer& trainer) override {
    if (!last_) last_ = value(trainer.progress());
    if (!trainer.stepper().rule().set(options.attr_name, *last_))
      raise<ConfigError>(trainer.stepper().rule().type(), " has no option '", options.attr_name,
                         "' that can change while it runs");
  }
  Verdict run(Trainer& trainer, const Progress& progress) override {
    last_ = value(progress);
    trainer.stepper().rule().set(options.attr_name, *last_);
    return Verdict::Continue;
  }
  json save_state() const override { return last_ ? json{{"value", *last_}} : json::object(); }
  void load_state(const json& state) override {
    last_.reset();
    if (state.contains("value")) last_ = state["value"].get<double>();
  }

 private:
  double value(const Progress& p) const {
    const bool by_epoch = options.timescale == Timescale::Epoch || schedule_->always_by_epoch();
    return schedule_->value(by_epoch ? p.epoch : p.update, options.interval);
  }
  std::unique_ptr<Schedule> schedule_;
  std::optional<double> last_;
};

}  // namespace

void register_modify_stepper_attribute(Catalog& catalog) { catalog.of<Hook>().add<ModifyStepperAttribute>(); }

}  // namespace squall
