// Bounds the length of all gradients together.
#include <cmath>
#include <limits>

#include "squall/core/catalog.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

namespace {

struct ClipGradientNormOptions {
  double max_norm = 1;
  json norm_type = 2;
  static constexpr auto fields =
      std::tuple{field("max_norm", &ClipGradientNormOptions::max_norm, "greatest norm that is left alone"),
                 field("norm_type", &ClipGradientNormOptions::norm_type,
                       "p: (sum of |g|^p)^(1/p), a number above 0; \"inf\": the largest |g|")};
};

double power_of(const json& type) {
  if (type == "inf") return std::numeric_limits<double>::infinity();
  return type.is_number() ? type.get<double>() : 0;
}

// Joint or for each parameter alone.
template <class D, bool kJoint>
class NormClipper : public DescribedAs<Modifier, D, ClipGradientNormOptions> {
 public:
  void resolve(const Catalog&, std::string_view where, Problems& problems) {
    power_ = power_of(this->options.norm_type);
    if (!(this->options.max_norm > 0)) problems.add(where, "option 'max_norm' should be above 0");
    if (!(power_ > 0))
      problems.add(where, concat("option 'norm_type' should be a number above 0 or \"inf\", not ",
                                 this->options.norm_type.dump()));
  }
  bool only_for_gradients() const override { return true; }
  bool takes_entries() const override { return true; }
  bool joint() const override { return kJoint; }
  void begin() override { total_ = 0; }
  void measure(Handler& handler, const Tensor& target) override {
    const double part = handler.optim().power_sum(target, power_);
    total_ = std::isinf(power_) ? (part > total_ || std::isnan(part) ? part : total_) : total_ + part;
  }
  void apply(Handler& handler, const Tensor&, const Tensor& target, const ParameterContext&) override {
    if (!kJoint) {
      begin();
      measure(handler, target);
    }
    const double norm = std::isinf(power_) ? total_ : std::pow(total_, 1 / power_);
    const double factor = this->options.max_norm / (norm + 1e-6);
    if (factor < 1) handler.elementwise().affine(target, factor, 0, target);
  }

 private:
  double power_ = 2, total_ = 0;
};

class ClipGradientNorm final : public NormClipper<ClipGradientNorm, true> {
 public:
  static constexpr std::string_view kType = "ClipGradientNorm";
  static constexpr std::string_view kDoc =
      "Scales all gradients that it is given for, together, so that their norm is at most max_norm; after all other "
      "modifiers.";
};

class ClipNorm final : public NormClipper<ClipNorm, false> {
 public:
  static constexpr std::string_view kType = "ClipNorm";
  static constexpr std::string_view kDoc =
      "Scales the gradient of each parameter so that its norm is at most max_norm.";
};

}  // namespace

void register_clip_gradient_norm_modifier(Catalog& catalog) {
  catalog.of<Modifier>().add<ClipGradientNorm>();
  catalog.of<Modifier>().add<ClipNorm>();
}

}  // namespace squall
