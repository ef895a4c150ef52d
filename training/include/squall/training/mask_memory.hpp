// Weights under masks, remembered so that they come back when a mask opens. Without it setting a mask is final: what is
// masked becomes 0.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall {

class MaskMemory {
 public:
  // Replaces the mask of a parameter: opened weights get their remembered values, hidden ones are remembered.
  void set_mask(Network& network, ParameterEntry& e, const HostArray& keep);
  // All values, those under the mask, too.
  HostArray values(const Network& network, const ParameterEntry& e) const;
  // Takes all masks off and puts all values back.
  void open(Network& network);
  bool empty() const { return values_.empty(); }
  void clear() { values_.clear(); }

  // For checkpoints: names in order and their values.
  std::vector<std::string> names() const;
  std::vector<HostArray> arrays() const;
  void set_arrays(const std::vector<std::string>& names, const std::vector<HostArray>& arrays);

 private:
  std::map<std::string, HostArray> values_;  // by "LAYER.PARAMETER"
};

// Sets the mask of "LAYER.PARAMETER" (1 = kept, of its shape), packed or not; without memory what is masked is lost.
void set_mask(Network& network, const std::string& parameter, const HostArray& keep, MaskMemory* memory = nullptr);

// Takes packed parameters apart, so that every task's slice has a mask of its own.
void unpack_masks(Network& network);
// Packs weights with a task axis whose slices are all masked and disjoint.
void pack_masks(Network& network);
// Lets every task read what the tasks before it (in this order, by name) own. For packed parameters.
void read_earlier(Network& network, const std::vector<std::string>& order);

}  // namespace squall
