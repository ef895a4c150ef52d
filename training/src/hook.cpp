#include "squall/training/hook.hpp"

namespace squall {

std::span<const EnumName<Timescale>> enum_names(Timescale) {
  static constexpr EnumName<Timescale> kNames[] = {{"epoch", Timescale::Epoch}, {"update", Timescale::Update}};
  return kNames;
}

}  // namespace squall
