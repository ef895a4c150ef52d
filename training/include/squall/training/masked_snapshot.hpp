// Values, masks and states of a network, kept in memory to be put back; masks may have changed meanwhile.
#pragma once

#include <vector>

#include "squall/core/network.hpp"

namespace squall {

class MaskedSnapshot {
 public:
  bool empty() const { return !taken_; }
  void capture(const Network& network);
  // Packed parameters are taken apart. Throws ConfigError when there is nothing to put back.
  void restore(Network& network) const;
  void clear();

  // Per parameter values and mask (ones where there is none), then states; and back.
  std::vector<HostArray> arrays() const;
  void set_arrays(std::vector<HostArray> arrays, const Network& network);

 private:
  bool taken_ = false;
  std::vector<HostArray> values_, masks_, states_;
};

}  // namespace squall
