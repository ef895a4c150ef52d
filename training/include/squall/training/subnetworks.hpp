// Subnetworks that learned masks have found: how much two of them share, and making one final.
#pragma once

#include <memory>

#include "squall/core/json.hpp"
#include "squall/core/masks.hpp"

namespace squall {

// Entries of one tensor, or of several together, by which of two subnetworks they are in.
struct SubnetworkOverlap {
  std::string layer, parameter;  // empty: of the whole layer, of everything
  Index both = 0, first_only = 0, second_only = 0, neither = 0;
  Index all() const { return both + first_only + second_only + neither; }
  double share(Index part) const { return all() == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all()); }
  // Of what is in either, the part that is in both; of the first, the part that is in the second; and the other way.
  double jaccard() const { return ratio(both, both + first_only + second_only); }
  double first_in_second() const { return ratio(both, both + first_only); }
  double second_in_first() const { return ratio(both, both + second_only); }
  SubnetworkOverlap& operator+=(const SubnetworkOverlap& other);

 private:
  static double ratio(Index part, Index whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }
};
struct OverlapReport {
  std::vector<SubnetworkOverlap> tensors, layers;  // in the order of the first network
  SubnetworkOverlap total;
  json to_json() const;
  std::string text() const;
};
// Throws ConfigError unless both networks have masks over the same parameters of the same shapes.
OverlapReport compare_subnetworks(Network& first, Network& second);

// A network without learned masks whose weights outside the subnetwork are masked for good, so that it can be packed
// and stored sparsely. Throws ConfigError for layers that are made of a mask.
std::unique_ptr<Network> apply_masks(Network& network);

}  // namespace squall
