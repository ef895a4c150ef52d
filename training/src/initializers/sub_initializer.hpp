// A number or an initializer as an option of another one.
#pragma once

#include <memory>

#include "initializers/shapes.hpp"

namespace squall {

class SubInitializer {
 public:
  void resolve(const json& j, const Catalog& catalog, std::string_view where, Problems& problems) {
    if (j.is_number())
      constant_ = j.get<double>();
    else
      made_ = catalog.of<Initializer>().make(j, where, catalog, problems);
  }
  void fill(std::span<double> values, const ParameterContext& p, Rng& rng) const {
    if (made_)
      made_->fill(values, p, rng);
    else
      std::ranges::fill(values, constant_);
  }

 private:
  double constant_ = 0;
  std::unique_ptr<Initializer> made_;
};

}  // namespace squall
