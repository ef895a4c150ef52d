// A critic of dense layers, read at several places with the same weights, and its gradient as a network: what WGAN-GP
// (Gulrajani et al. 2017) is wired of. docs/generative.md has the whole.
//
//   CriticOptions how{.units = {64, 64}};
//   build_critic(a, "Critic", real, how) >> a.add("Real", "Loss", {{"importance", -1.0}});
//   build_critic_at(a, "Critic", "Made", made >> a.add("Still", "Detach"), how) >> a.add("Made", "Loss");
//   build_critic_at(a, "Critic", "Mixed", between, how);
//   build_critic_gradient(a, "Critic", "Mixed", ones, how) >> a.add("Penalty", "GradientPenalty");
//   build_critic_at(a, "Critic", "Fooled", made, how, Weights::Detached) >> a.add("Generator", "Loss", {...});
#pragma once

#include <vector>

#include "squall/core/architecture.hpp"

namespace squall {

struct CriticOptions {
  std::vector<Index> units = {};  // of the hidden layers; the last layer gives one score
  // Of an Activation behind each hidden layer, with its numbers.
  json activation = {{"function", "leaky_relu"}, {"negative_slope", 0.2}};
};

// Adds NAME_1, NAME_bent_1, NAME_2, ... behind `input`: Dense layers that own the weights. Gives the scores. Throws
// ConfigError for sizes below 1.
Port build_critic(Architecture& a, const std::string& name, const Port& input, const CriticOptions& options);

enum class Weights : std::uint8_t { Trained, Detached };  // detached: nothing goes back to them from here

// The same critic with the weights of layers NAME_i at another place: PLACE_1, PLACE_bent_1, ...
Port build_critic_at(Architecture& a, const std::string& name, const std::string& place, const Port& input,
                     const CriticOptions& options, Weights weights = Weights::Trained);

// The gradient of the scores with respect to the input of a place that build_critic_at() made, as PLACE_back_i and
// PLACE_slope_i; `ones`, one number for each example, are what its scores are multiplied with.
Port build_critic_gradient(Architecture& a, const std::string& name, const std::string& place, const Port& ones,
                           const CriticOptions& options);

}  // namespace squall
