// One training step: forward, backward, update, modifiers. What an update does is an UpdateRule; the stepper owns its
// state, which lies beside the flat parameter vector.
#pragma once

#include <memory>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/training/schedule.hpp"

namespace squall {

// A formula over flat ranges, one file each. In JSON these are the steppers ("Sgd", "SgdStepper", "Adam", ...).
class UpdateRule : public Describable {
 public:
  static constexpr std::string_view kFamily = "stepper";
  virtual int state_vectors() const = 0;  // 0, 1 or 2
  // Before the forward pass (Nesterov's look-ahead). `step` counts updates since start, from 1.
  virtual void before_pass(OptimOps&, const UpdateRange&, const Progress&, Index /*step*/) const {}
  virtual bool moves_before_pass() const { return false; }
  virtual void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const = 0;
  virtual double learning_rate(const Progress& progress) const = 0;
  // Sets an option by name while training goes on ("learning_rate"); false if there is none of that name.
  virtual bool set(std::string_view option, double value) = 0;
};

class Stepper {
 public:
  explicit Stepper(std::unique_ptr<UpdateRule> rule) : rule_(std::move(rule)) {}
  UpdateRule& rule() const { return *rule_; }
  // Fresh state for this network; also after the form of a parameter has changed (masks packed).
  void start(Network& network);
  // Whether it was started for this network and the flat parameter vector is still laid out as it was then.
  bool fits(const Network& network) const;
  // One update on the data already provided: gradients of the pass's heads, then the rule, then weight modifiers.
  void step(PassId pass, const Progress& progress);
  Index steps() const { return steps_; }
  // For checkpoints: state vectors as host arrays in flat order, and back.
  std::vector<HostArray> save_state() const;
  void load_state(const std::vector<HostArray>& state, Index steps);

 private:
  UpdateRange range_of(const ParameterStore::Trainable& piece) const;
  std::unique_ptr<UpdateRule> rule_;
  Network* network_ = nullptr;
  std::vector<Index> offsets_;  // of the parameters when it was started
  DeviceBlock block_;
  std::vector<Tensor> state_;
  Index steps_ = 0;
};

}  // namespace squall
