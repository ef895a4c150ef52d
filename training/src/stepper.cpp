#include "squall/training/stepper.hpp"

#include "squall/core/ops/optim.hpp"

namespace squall {

namespace {

std::vector<Index> layout_of(const Network& network) {
  std::vector<Index> offsets{network.parameters().elements()};
  for (const auto& e : network.store().entries()) offsets.push_back(e.offset);
  return offsets;
}

}  // namespace

void Stepper::start(Network& network) {
  network_ = &network;
  offsets_ = layout_of(network);
  steps_ = 0;
  state_.clear();
  block_ = DeviceBlock();
  const auto count = static_cast<std::size_t>(rule_->state_vectors());
  const Index elements = network.parameters().elements();
  if (count == 0 || elements == 0) return;
  const DType dtype = network.handler().dtype();
  const std::size_t bytes = (static_cast<std::size_t>(elements) * size_of(dtype) + 63) / 64 * 64;
  MemoryOps& memory = network.handler().memory();
  block_ = DeviceBlock(memory, bytes * count);
  for (std::size_t i = 0; i < count; ++i) {
    state_.emplace_back(block_.data() + i * bytes, dtype, Shape{elements});
    memory.zero(state_.back());
  }
}

bool Stepper::fits(const Network& network) const { return network_ == &network && offsets_ == layout_of(network); }

UpdateRange Stepper::range_of(const ParameterStore::Trainable& piece) const {
  UpdateRange range;
  range.value = network_->parameters().slice(piece.offset, piece.elements);
  range.gradient = network_->gradients().slice(piece.offset, piece.elements);
  if (!state_.empty()) range.state0 = state_[0].slice(piece.offset, piece.elements);
  if (state_.size() > 1) range.state1 = state_[1].slice(piece.offset, piece.elements);
  range.write = piece.write;
  return range;
}

void Stepper::step(PassId pass, const Progress& progress) {
  if (network_ == nullptr) raise<ConfigError>("a stepper must be started for a network before its first step");
  if (network_->parameters().elements() != offsets_[0])
    raise<ConfigError>("parameters have changed their form since the stepper was started; start it again");
  OptimOps& ops = network_->handler().optim();
  const Index step = steps_ + 1;
  if (rule_->moves_before_pass()) {
    for (const auto& piece : network_->trainable(pass)) rule_->before_pass(ops, range_of(piece), progress, step);
    network_->parameters_changed();
  }
  network_->forward(pass);
  network_->backward();
  for (const auto& piece : network_->trainable()) rule_->update(ops, range_of(piece), progress, step);
  network_->parameters_changed();
  network_->apply_weight_modifiers();
  steps_ = step;
}

std::vector<HostArray> Stepper::save_state() const {
  std::vector<HostArray> out;
  for (const auto& s : state_) out.push_back(network_->handler().memory().to_host(s));
  return out;
}

void Stepper::load_state(const std::vector<HostArray>& state, Index steps) {
  if (network_ == nullptr) raise<ConfigError>("a stepper must be started for a network before its state is loaded");
  if (state.size() != state_.size())
    raise<DataError>("the saved state of the stepper has ", state.size(), " vectors; ", rule_->type(), " has ",
                     state_.size());
  for (std::size_t i = 0; i < state.size(); ++i)
    if (state[i].elements() != state_[i].elements())
      raise<DataError>("the saved state of the stepper is for ", state[i].elements(), " weights; the network has ",
                       state_[i].elements());
  for (std::size_t i = 0; i < state.size(); ++i)
    network_->handler().memory().upload(state[i].view(), state_[i].reshaped(state[i].shape()));
  steps_ = steps;
}

}  // namespace squall
