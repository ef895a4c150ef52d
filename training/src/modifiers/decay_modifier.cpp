// Gradients of penalties on weights.
#include "squall/core/catalog.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

namespace {

struct DecayOptions {
  double factor = 0;
  static constexpr auto fields = std::tuple{field("factor", &DecayOptions::factor, "strength of the penalty")};
};

template <class D>
class Decay : public DescribedAs<Modifier, D, DecayOptions> {
 public:
  bool only_for_gradients() const override { return true; }
  bool takes_entries() const override { return true; }
};

class L1DecayModifier final : public Decay<L1DecayModifier> {
 public:
  static constexpr std::string_view kType = "L1Decay";
  static constexpr std::string_view kDoc = "gradient += factor * sign(weight).";
  void apply(Handler& handler, const Tensor& value, const Tensor& target, const ParameterContext&) override {
    handler.optim().l1_decay(value, options.factor, target);
  }
};

class L2DecayModifier final : public Decay<L2DecayModifier> {
 public:
  static constexpr std::string_view kType = "L2Decay";
  static constexpr std::string_view kDoc = "gradient += factor * weight.";
  void apply(Handler& handler, const Tensor& value, const Tensor& target, const ParameterContext&) override {
    handler.optim().l2_decay(value, options.factor, target);
  }
};

}  // namespace

void register_decay_modifier(Catalog& catalog) {
  catalog.of<Modifier>().add<L1DecayModifier>();
  catalog.of<Modifier>().add<L2DecayModifier>();
}

}  // namespace squall
