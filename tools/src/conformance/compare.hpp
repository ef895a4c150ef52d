// Compares tensors with recorded ones and remembers the worst.
#pragma once

#include <string>

#include "squall/core/host_array.hpp"

namespace squall::conformance {

class Comparison {
 public:
  // fp64: 1e-9 relative, 1e-11 absolute. fp32: `fp32` of the tensor's largest magnitude.
  Comparison(bool fp64, double fp32) : fp64_(fp64), fp32_(fp32) {}
  // A tensor that is zero but for rounding has no magnitude: fp32 then takes that of what it was summed from.
  void tensor(const std::string& where, const HostArray& got, const HostArray& expected, double summands = 0);
  void number(const std::string& where, double got, double expected);
  void text(const std::string& where, const std::string& got, const std::string& expected);
  void fail(const std::string& text);  // something else is wrong
  bool failed() const { return !message_.empty(); }
  const std::string& message() const { return message_; }
  double worst() const { return worst_; }
  int compared() const { return compared_; }

 private:
  bool fp64_;
  double fp32_;
  std::string message_;
  double worst_ = 0;
  int compared_ = 0;
};

}  // namespace squall::conformance
