#include "squall/hooks/criterion.hpp"

namespace squall {

std::span<const EnumName<Criterion>> enum_names(Criterion) {
  static constexpr EnumName<Criterion> kNames[] = {
      {"auto", Criterion::Auto}, {"min", Criterion::Min}, {"max", Criterion::Max}};
  return kNames;
}

}  // namespace squall
