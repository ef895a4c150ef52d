// Normal numbers without those far from their mean.
#include <cmath>

#include "initializers/shapes.hpp"

namespace squall {

namespace {

enum class NormalFans : std::uint8_t { None, Glorot, He };
[[maybe_unused]] std::span<const EnumName<NormalFans>> enum_names(NormalFans) {
  static constexpr EnumName<NormalFans> kNames[] = {
      {"none", NormalFans::None}, {"glorot", NormalFans::Glorot}, {"he", NormalFans::He}};
  return kNames;
}

struct TruncatedNormalOptions {
  double std = 1, mean = 0, limit = 2;
  NormalFans fans = NormalFans::None;
  static constexpr auto fields =
      std::tuple{field("std", &TruncatedNormalOptions::std, "standard deviation of what is cut off"),
                 field("mean", &TruncatedNormalOptions::mean, "mean"),
                 field("limit", &TruncatedNormalOptions::limit, "deviations from the mean beyond which is drawn again"),
                 field("fans", &TruncatedNormalOptions::fans,
                       "std is a gain to multiply with; glorot: sqrt(2 / (inputs + outputs)), he: sqrt(2 / inputs)")};
};

class TruncatedNormal final : public DescribedAs<Initializer, TruncatedNormal, TruncatedNormalOptions> {
 public:
  static constexpr std::string_view kType = "TruncatedNormal";
  static constexpr std::string_view kDoc = "Normally distributed; what is far from the mean is drawn again.";
  void resolve(const Catalog&, std::string_view where, Problems& problems) const {
    if (options.std < 0) problems.add(where, "option 'std' should not be negative");
    if (!(options.limit >= 0.1))
      problems.add(where, concat("option 'limit' should be at least 0.1, not ", options.limit));
  }
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const override {
    const double deviation = options.std * factor(p);
    for (double& v : values) {
      double drawn = rng.normal();
      while (std::abs(drawn) > options.limit) drawn = rng.normal();
      v = options.mean + deviation * drawn;
    }
  }

 private:
  double factor(const ParameterContext& p) const {
    if (options.fans == NormalFans::None) return 1;
    const Fans fans = fans_of(kType, p);
    const Index n = options.fans == NormalFans::He ? fans.in : fans.in + fans.out;
    return std::sqrt(2.0 / static_cast<double>(n));
  }
};

}  // namespace

void register_truncated_normal_init(Catalog& catalog) { catalog.of<Initializer>().add<TruncatedNormal>(); }

}  // namespace squall
