#include "squall/core/activation.hpp"

#include <array>

namespace squall {

std::span<const EnumName<Activation>> enum_names(Activation) {
  static constexpr std::array<EnumName<Activation>, 7> kNames{{{"rel", Activation::Rel},
                                                               {"relu", Activation::Rel},
                                                               {"tanh", Activation::Tanh},
                                                               {"sigmoid", Activation::Sigmoid},
                                                               {"el", Activation::El},
                                                               {"linear", Activation::Linear},
                                                               {"softmax", Activation::Softmax}}};
  return kNames;
}

}  // namespace squall
