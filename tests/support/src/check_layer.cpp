#include <algorithm>

#include "properties.hpp"
#include "squall/handlers/make_handler.hpp"

namespace squall::testing {

namespace {

Handlers open_handlers(const CheckOptions& options) {
  const std::vector<std::string>& wanted = options.handlers;
  std::vector<std::string> names = wanted.empty() ? available_handlers() : wanted;
  if (wanted.empty() && std::ranges::find(names, "debug:cpu:f64") == names.end()) names.push_back("debug:cpu:f64");
  Handlers handlers;
  for (const auto& name : names) {
    handlers.all.push_back(options.make ? options.make(name) : make_handler(name, {.threads = 1}));
    const auto& made = handlers.all.back();
    if (!handlers.exact && made->dtype() == DType::F64 && !made->debug()) handlers.exact = made;
  }
  return handlers;
}

struct Property {
  std::string_view name;
  void (*check)(const Bench&);
};
constexpr Property kProperties[] = {
    {"L1", check_derivatives}, {"L2", check_sinks},        {"L3", check_poison},       {"L4", check_constness},
    {"L5", check_bounds},      {"L6", check_memory_modes}, {"L7", check_handlers},     {"L8", check_batches},
    {"L9", check_determinism}, {"L10", check_allocations}, {"L11", check_description}, {"L12", check_refusals},
    {"L13", check_wiring},
};

}  // namespace

void Bench::for_each_setup(const std::function<void(Setup)>& f) const {
  for (const auto& handler : handlers.all)
    for (const auto& [time, batch] : options.sizes) {
      Setup setup;
      setup.handler = handler;
      setup.time = time;
      setup.batch = batch;
      report.place = concat(" (T=", time, ", B=", batch, ", ", handler->name(), ")");
      f(setup);
    }
  report.place.clear();
}

void Bench::for_each_exact(const std::function<void(Setup)>& f) const {
  if (!handlers.exact) return;
  const Handlers only{{handlers.exact}, handlers.exact};
  Bench{layer_case, catalog, options, only, report}.for_each_setup(f);
}

double tolerance_of(const Handler& handler, double f32, double f64) {
  return handler.dtype() == DType::F32 ? f32 : f64;
}

std::vector<std::string> check_layer(const LayerCase& layer_case, Catalog& catalog, const CheckOptions& options) {
  register_weighted_sum(catalog);
  const Handlers handlers = open_handlers(options);
  std::vector<std::string> lines;
  Report report(concat(layer_case.type, " '", layer_case.name, "'"), lines);
  const Bench bench{layer_case, catalog, options, handlers, report};
  for (const auto& [name, check] : kProperties) {
    if (!options.only.empty() && std::ranges::find(options.only, name) == options.only.end()) continue;
    report.property = name;
    report.place.clear();
    try {
      check(bench);
    } catch (const std::exception& e) {
      report.fail(e.what());
    }
  }
  return lines;
}

}  // namespace squall::testing
