// Multiplies by a fixed array.
#include "modifiers/kept_values.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"

namespace squall {

namespace {

struct MaskValuesOptions {
  json mask = json::array();
  static constexpr auto fields =
      std::tuple{field("mask", &MaskValuesOptions::mask, "nested lists of the parameter's shape, 0 or 1 as a rule")};
};

class MaskValues final : public DescribedAs<Modifier, MaskValues, MaskValuesOptions> {
 public:
  static constexpr std::string_view kType = "MaskValues";
  static constexpr std::string_view kDoc = "Multiplies weights or gradients by a mask.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    collect_numbers(options.mask, numbers_, concat(where, ".mask"), problems);
  }
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext& p) override {
    if (!kept_.on(handler)) kept_.upload(handler, target, numbers_, kType, p);
    handler.elementwise().binary(Binary::Multiply, target, kept_.values(), target);
  }

 private:
  std::vector<double> numbers_;
  KeptValues kept_;
};

}  // namespace

void register_mask_values_modifier(Catalog& catalog) { catalog.of<Modifier>().add<MaskValues>(); }

}  // namespace squall
