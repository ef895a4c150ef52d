#include "squall/hooks/parameter_snapshot.hpp"

namespace squall {

namespace {

Index state_elements(const Network& network) {
  Index n = 0;
  for (const auto& node : network.graph().nodes())
    for (const auto& state : node.states) n += state.shape.elements();
  return n;
}

}  // namespace

void ParameterSnapshot::capture(const Network& network) {
  const Tensor flat = network.parameters();
  parameters_.resize(network.handler().dtype(), Shape{flat.elements()});
  if (flat.elements() > 0) network.handler().memory().download(flat, parameters_.view());
  states_ = network.get_states();
  taken_ = true;
}

bool ParameterSnapshot::fits(const Network& network) const {
  Index states = 0;
  for (const auto& s : states_) states += s.elements();
  return taken_ && parameters_.elements() == network.parameters().elements() && states == state_elements(network);
}

void ParameterSnapshot::restore(Network& network) const {
  if (!taken_) raise<ConfigError>("there are no kept parameters to put back");
  if (!fits(network))
    raise<ConfigError>("parameters have changed their form since they were kept; they cannot be put back");
  if (parameters_.elements() > 0) network.handler().memory().upload(parameters_.view(), network.parameters());
  network.store().touch();
  network.set_states(states_);
}

void ParameterSnapshot::clear() {
  taken_ = false;
  parameters_ = HostArray();
  states_.clear();
}

std::vector<HostArray> ParameterSnapshot::arrays() const {
  if (!taken_) return {};
  std::vector<HostArray> out{parameters_};
  out.insert(out.end(), states_.begin(), states_.end());
  return out;
}

void ParameterSnapshot::set_arrays(std::vector<HostArray> arrays) {
  clear();
  if (arrays.empty()) return;
  parameters_ = std::move(arrays[0]);
  states_.assign(std::make_move_iterator(arrays.begin() + 1), std::make_move_iterator(arrays.end()));
  taken_ = true;
}

}  // namespace squall
