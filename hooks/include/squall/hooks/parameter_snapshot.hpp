// The parameters and states of a network, kept in memory to be put back.
#pragma once

#include <vector>

#include "squall/core/network.hpp"

namespace squall {

class ParameterSnapshot {
 public:
  bool empty() const { return !taken_; }
  void capture(const Network& network);
  // Throws ConfigError when there is none, or when parameters have changed their form since (see fits()).
  void restore(Network& network) const;
  // Whether the flat parameter vector and the states have the sizes they had.
  bool fits(const Network& network) const;
  void clear();

  // Parameters, then states; and back. Empty where there is nothing.
  std::vector<HostArray> arrays() const;
  void set_arrays(std::vector<HostArray> arrays);

 private:
  bool taken_ = false;
  HostArray parameters_;
  std::vector<HostArray> states_;
};

}  // namespace squall
