// Learned masks of a whole network: putting them on by patterns, settings for all of them, L0 and read-out.
#pragma once

#include <string>
#include <vector>

#include "squall/core/learned_mask.hpp"
#include "squall/core/network.hpp"
#include "squall/core/parameter_mask.hpp"

namespace squall {

// The architecture with masks over what the patterns reach: {"Conv*": {"@type": "HardConcrete", ...}} masks the weights
// (and biases, where `mask_bias` says so) of the layers, "Dense_1.bias" one parameter. "*" is every layer that has
// weights. A pattern that reaches nothing is a problem, and so are two that reach one parameter, unless one of them is
// a name without *.
Architecture with_masks(const Architecture& architecture, const json& patterns, const Catalog& catalog,
                        std::string_view where, Problems& problems);
// Throws ConfigError with all problems.
Architecture with_masks(const Architecture& architecture, const json& patterns, const Catalog& catalog,
                        std::string_view where = "masks");

struct MaskedParameter {
  std::string layer, name;
  const ParameterEntry* entry = nullptr;
  ParameterMask* mask = nullptr;
  HostArray kept;  // filled by subnetwork() only
};
std::vector<MaskedParameter> masked_parameters(Network& network);
// The same with which weights are in the subnetwork.
std::vector<MaskedParameter> subnetwork(Network& network);

// For all masks of layers that match.
void set_ablation(Network& network, Ablation ablation, bool resample = false, std::string_view layers = "*");
void set_use_masks(Network& network, bool use, std::string_view layers = "*");
// For all masks that have one; how many. Throws ConfigError for a negative one.
int set_mask_temperature(Network& network, double temperature);
// The temperature of an epoch (from 0) where it grows from 1 by the same factor in each and is `last` after `epochs`.
double annealed_temperature(double last, Index epochs, Index epoch);

struct L0Statistics {
  struct One {
    std::string layer;
    Index l0 = 0, max_l0 = 0;
  };
  std::vector<One> layers;  // in the order of the network
  Index l0 = 0, max_l0 = 0;
};
// Counts weights (and masked biases) that evaluation leaves under the present ablation; changes and draws nothing.
L0Statistics l0_statistics(Network& network);

}  // namespace squall
