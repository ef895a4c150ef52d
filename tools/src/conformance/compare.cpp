#include "conformance/compare.hpp"

#include <algorithm>
#include <cmath>

namespace squall::conformance {

void Comparison::fail(const std::string& text) {
  if (message_.empty()) message_ = text;
}

void Comparison::tensor(const std::string& where, const HostArray& got, const HostArray& expected, double summands) {
  ++compared_;
  if (got.elements() != expected.elements()) {
    fail(concat(where, ": shape ", got.shape(), ", expected ", expected.shape()));
    return;
  }
  double largest = 0;
  for (Index i = 0; i < expected.elements(); ++i) largest = std::max(largest, std::abs(expected.value(i)));
  if (largest < 1e-12) largest = summands;
  for (Index i = 0; i < expected.elements(); ++i) {
    const double g = got.value(i);
    const double e = expected.value(i);
    const double error = std::abs(g - e);
    // fp64: |error| <= 1e-9 |expected| + 1e-11, as one number.
    const double scale = fp64_ ? std::abs(e) + 1e-2 : std::max(largest, 1e-3);
    const double relative = error / scale;
    if (!(relative <= (fp64_ ? 1e-9 : fp32_)) && error != 0)
      fail(concat(where, "[", i, "]: got ", g, ", expected ", e));
    worst_ = std::max(worst_, relative);
  }
}

void Comparison::number(const std::string& where, double got, double expected) {
  tensor(where, HostArray::of(Shape{1}, std::vector<double>{got}),
         HostArray::of(Shape{1}, std::vector<double>{expected}));
}

void Comparison::text(const std::string& where, const std::string& got, const std::string& expected) {
  ++compared_;
  if (got != expected) fail(concat(where, ": got ", got, ", expected ", expected));
}

}  // namespace squall::conformance
