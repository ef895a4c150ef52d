// Puts values back after every update.
#include "modifiers/kept_values.hpp"
#include "squall/core/catalog.hpp"

namespace squall {

namespace {

struct FreezeValuesOptions {
  json weights;
  static constexpr auto fields = std::tuple{field(
      "weights", &FreezeValuesOptions::weights, "nested lists of the parameter's shape; null: the values first seen")};
};

class FreezeValues final : public DescribedAs<Modifier, FreezeValues, FreezeValuesOptions> {
 public:
  static constexpr std::string_view kType = "FreezeValues";
  static constexpr std::string_view kDoc = "Sets weights back to given values, or to those they had when first seen.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    if (!options.weights.is_null()) collect_numbers(options.weights, numbers_, concat(where, ".weights"), problems);
  }
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext& p) override {
    if (kept_.on(handler)) return handler.memory().copy(kept_.values(), target);
    if (options.weights.is_null()) return handler.memory().copy(target, kept_.make(handler, target));
    kept_.upload(handler, target, numbers_, kType, p);
    handler.memory().copy(kept_.values(), target);
  }

 private:
  std::vector<double> numbers_;
  KeptValues kept_;
};

}  // namespace

void register_freeze_values_modifier(Catalog& catalog) { catalog.of<Modifier>().add<FreezeValues>(); }

}  // namespace squall
