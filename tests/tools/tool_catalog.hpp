// The catalog that squall itself has.
#pragma once

#include "squall/tools/catalog.hpp"

namespace squall::testing {

inline const Catalog& catalog() {
  static const Catalog made = make_catalog();
  return made;
}

}  // namespace squall::testing
