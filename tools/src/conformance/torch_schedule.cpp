// Learning rates and momentums epoch by epoch.
#include "conformance/torch_training.hpp"
#include "squall/tools/catalog.hpp"
#include "squall/training/plateau.hpp"
#include "squall/training/schedule.hpp"

namespace squall::conformance {

namespace {

json one_cycle(const json& a, double initial, double peak, double final_value) {
  return {{"@type", "OneCycle"},
          {"initial_value", initial},
          {"peak_value", peak},
          {"final_value", final_value},
          {"total", a.at("total_steps")},
          {"peak_at", a.at("pct_start")},
          {"way", a.at("anneal_strategy") == "linear" ? "linear" : "cosine"},
          {"three_phases", a.at("three_phase")}};
}

json cyclic(const json& a, double initial, double peak) {
  const std::string mode = a.value("mode", "triangular");
  json down = a.value("step_size_down", json());
  if (down.is_null()) down = a.at("step_size_up");
  return {{"@type", "Cyclic"},
          {"initial_value", initial},
          {"peak_value", peak},
          {"up", a.at("step_size_up")},
          {"down", down},
          {"fade", mode == "triangular"    ? "none"
                   : mode == "triangular2" ? "halves"
                                           : "exponential"},
          {"factor", a.value("gamma", 1.0)}};
}

// PyTorch's schedule as ours; `momentum`: what it does to the momentum.
json schedule_of(const std::string& type, const json& a, double base, bool momentum) {
  if (type == "ConstantLR")
    return {{"@type", "Constant"}, {"value", base}, {"factor", a.at("factor")}, {"num_changes", a.at("total_iters")}};
  if (type == "StepLR")
    return {{"@type", "Step"}, {"initial_value", base}, {"step_size", a.at("step_size")}, {"factor", a.at("gamma")}};
  if (type == "MultiStepLR")
    return {{"@type", "MultiStep"}, {"initial_value", base}, {"steps", a.at("milestones")}, {"factor", a.at("gamma")}};
  if (type == "ExponentialLR") return {{"@type", "Exponential"}, {"initial_value", base}, {"factor", a.at("gamma")}};
  if (type == "CosineAnnealingLR")
    return {
        {"@type", "Cosine"}, {"initial_value", base}, {"final_value", a.at("eta_min")}, {"num_changes", a.at("T_max")}};
  if (type == "CosineAnnealingWarmRestarts")
    return {{"@type", "CosineRestarts"},
            {"initial_value", base},
            {"final_value", a.at("eta_min")},
            {"period", a.at("T_0")},
            {"period_factor", a.at("T_mult")}};
  if (type == "PolynomialLR")
    return {{"@type", "Polynomial"},
            {"initial_value", base},
            {"num_changes", a.at("total_iters")},
            {"power", a.at("power")}};
  if (type == "LinearLR")
    return {{"@type", "Linear"},
            {"initial_value", base * a.at("start_factor").get<double>()},
            {"final_value", base * a.at("end_factor").get<double>()},
            {"num_changes", a.at("total_iters")}};
  if (type == "OneCycleLR") {
    const double peak = a.at("max_lr").get<double>(), initial = peak / a.at("div_factor").get<double>();
    const double low = a.at("base_momentum").get<double>(), high = a.at("max_momentum").get<double>();
    return momentum ? one_cycle(a, high, low, high)
                    : one_cycle(a, initial, peak, initial / a.at("final_div_factor").get<double>());
  }
  if (type == "CyclicLR") {
    return momentum ? cyclic(a, a.at("max_momentum").get<double>(), a.at("base_momentum").get<double>())
                    : cyclic(a, a.at("base_lr").get<double>(), a.at("max_lr").get<double>());
  }
  if (type != "SequentialLR") raise<ConfigError>("schedule '", type, "' is not known");
  json out = {{"@type", "Sequential"}, {"milestones", a.at("milestones")}, {"schedules", json::array()}};
  for (const auto& part : a.at("parts"))
    out["schedules"].push_back(schedule_of(part.at("schedule").get<std::string>(), part, base, momentum));
  return out;
}

HostArray values(const json& description, Index count) {
  const Catalog catalog = make_catalog();
  const auto schedule = catalog.of<Schedule>().make(description, "schedule", catalog);
  std::vector<double> out;
  for (Index e = 0; e < count; ++e) out.push_back(schedule->value(e, 1));
  return HostArray::of(Shape{count}, out);
}

HostArray plateau(const json& a, double base, const HostArray& metrics, Index count) {
  PlateauOptions o;
  o.smaller_is_better = a.at("mode") == "min";
  o.relative = a.at("threshold_mode") == "rel";
  o.factor = a.at("factor").get<double>();
  o.threshold = a.at("threshold").get<double>();
  o.minimum = a.at("min_lr").get<double>();
  o.least_change = a.at("eps").get<double>();
  o.patience = a.at("patience").get<Index>();
  o.cooldown = a.at("cooldown").get<Index>();
  Plateau p(base, o);
  std::vector<double> out{base};
  for (Index e = 0; e + 1 < count; ++e) out.push_back(p.report(metrics.value(e)));
  return HostArray::of(Shape{count}, out);
}

}  // namespace

void replay_schedule(const H5Reader& file, Comparison& c) {
  const json arguments = parse_json(file.attribute_text("/", "arguments"), "arguments");
  const std::string type = file.attribute_text("/", "schedule");
  const double base = parse_json(file.attribute_text("/", "base_lr"), "base_lr").get<double>();
  const HostArray rates = file.read("/learning_rate");
  const Index count = rates.elements();
  if (type == "ReduceLROnPlateau") {
    c.tensor("learning_rate", plateau(arguments, base, file.read("/metrics"), count), rates);
    return;
  }
  c.tensor("learning_rate", values(schedule_of(type, arguments, base, false), count), rates);
  if (file.exists("/momentum"))
    c.tensor("momentum", values(schedule_of(type, arguments, base, true), count), file.read("/momentum"));
}

}  // namespace squall::conformance
