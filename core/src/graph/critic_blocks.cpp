#include "squall/core/critic_blocks.hpp"

namespace squall {

namespace {

std::string numbered(const std::string& name, std::size_t i) { return name + "_" + std::to_string(i); }

Port weight(Architecture& a, const std::string& name, std::size_t i, const char* what) {
  return a[numbered(name, i) + "...parameters." + what];
}

}  // namespace

Port build_critic(Architecture& a, const std::string& name, const Port& input, const CriticOptions& options) {
  for (const Index units : options.units)
    if (units < 1) raise<ConfigError>(name, ": units should be positive whole numbers, not ", units);
  Port x = input;
  const std::size_t last = options.units.size() + 1;
  for (std::size_t i = 1; i < last; ++i)
    x = x >> a.add(numbered(name, i), "Dense", {{"units", options.units[i - 1]}}) >>
        a.add(numbered(name + "_bent", i), "Activation", options.activation);
  return x >> a.add(numbered(name, last), "Dense", {{"units", 1}});
}

Port build_critic_at(Architecture& a, const std::string& name, const std::string& place, const Port& input,
                     const CriticOptions& options, Weights weights) {
  Port x = input;
  const std::size_t last = options.units.size() + 1;
  for (std::size_t i = 1; i <= last; ++i) {
    const Port made = a.add(numbered(place, i), "TiedDense");
    for (const char* what : {"W", "bias"}) {
      Port from = weight(a, name, i, what);
      if (weights == Weights::Detached) from = from >> a.add(numbered(place + "_" + what, i), "Detach");
      from >> (what - made);
    }
    x = x >> made;
    if (i < last) x = x >> a.add(numbered(place + "_bent", i), "Activation", options.activation);
  }
  return x;
}

Port build_critic_gradient(Architecture& a, const std::string& name, const std::string& place, const Port& ones,
                           const CriticOptions& options) {
  Port q = ones;
  for (std::size_t i = options.units.size() + 1; i >= 1; --i) {
    const Port made = a.add(numbered(place + "_back", i), "TiedDense", {{"transposed", true}});
    weight(a, name, i, "W") >> ("W" - made);
    q = q >> made;
    if (i == 1) break;
    const Port slope = a.add(numbered(place + "_slope", i - 1), "ActivationGradient", options.activation);
    a[numbered(place, i - 1)] >> ("x" - slope);
    q = q >> slope;
  }
  return q;
}

}  // namespace squall
