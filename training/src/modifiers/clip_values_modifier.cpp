// Keeps values between two bounds.
#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

namespace {

struct ClipValuesOptions {
  double low = -1, high = 1;
  static constexpr auto fields = std::tuple{field("low", &ClipValuesOptions::low, "lower bound"),
                                            field("high", &ClipValuesOptions::high, "upper bound")};
};

class ClipValues final : public DescribedAs<Modifier, ClipValues, ClipValuesOptions> {
 public:
  static constexpr std::string_view kType = "ClipValues";
  static constexpr std::string_view kDoc = "Keeps weights or gradients between low and high.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.low > options.high) problems.add(where, "option 'low' should not be above 'high'");
  }
  bool takes_entries() const override { return true; }
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext&) override {
    handler.elementwise().clip(target, options.low, options.high, target);
  }
};

}  // namespace

void register_clip_values_modifier(Catalog& catalog) { catalog.of<Modifier>().add<ClipValues>(); }

}  // namespace squall
