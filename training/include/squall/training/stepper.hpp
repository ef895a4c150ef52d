// One training step: forward, backward, update, modifiers. What an update does is an UpdateRule; the stepper owns its
// state, which lies beside the flat parameter vector.
#pragma once

#include <memory>
#include <vector>

#include "squall/core/network.hpp"
#include "squall/training/schedule.hpp"

namespace squall {

class UpdateRule;

// Parameters with options of their own.
struct RuleGroup {
  std::string pattern;  // LAYER or LAYER.PARAMETER
  std::shared_ptr<UpdateRule> rule;
  std::vector<std::string> own;  // options that it does not share with the others
};

// A formula over flat ranges, one file each. In JSON these are the steppers ("Sgd", "SgdStepper", "Adam", ...).
class UpdateRule : public Describable {
 public:
  static constexpr std::string_view kFamily = "stepper";
  virtual int state_vectors() const = 0;  // 0 .. 3
  virtual double state_initial(int /*vector*/) const { return 0; }
  // Whether there is anything but a forward pass, and of which kind that is.
  virtual bool learns() const { return true; }
  virtual Mode mode() const { return Mode::Train; }
  // Before the forward pass (Nesterov's look-ahead). `step` counts updates since start, from 1.
  virtual void before_pass(OptimOps&, const UpdateRange&, const Progress&, Index /*step*/) const {}
  virtual bool moves_before_pass() const { return false; }
  // Whether an update of a range is that of its parts, so that parts may come one by one.
  virtual bool elementwise() const { return false; }
  virtual void update(OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) const = 0;
  virtual double learning_rate(const Progress& progress) const = 0;
  // Sets an option by name while training goes on ("learning_rate"), also in groups that have none of their own; false
  // if there is none of that name.
  bool set(std::string_view option, double value);
  const std::vector<RuleGroup>& groups() const { return groups_; }

 protected:
  virtual bool set_own(std::string_view option, double value) = 0;
  // From {"PATTERN": {options}}: each group is this rule with some options replaced.
  void make_groups(const json& patterns, const Catalog& catalog, std::string_view where, Problems& problems);

 private:
  std::vector<RuleGroup> groups_;
};

// Throws NumericError that names the layer when the loss of a forward pass is not finite.
void require_finite(Network& network, double loss, const Progress& progress);
// The same for parameters, before they are saved or judged.
void require_finite_parameters(Network& network, const Progress& progress);

class Stepper {
 public:
  explicit Stepper(std::unique_ptr<UpdateRule> rule);
  ~Stepper();
  Stepper(Stepper&&) noexcept;
  UpdateRule& rule() const { return *rule_; }
  // False: gradients need not be there after a step, so that weights may be updated while they are made; the
  // parameters become the same. Without it they are kept.
  void keep_gradients(bool keep) { keep_gradients_ = keep; }
  // Fresh state for this network; also after the form of a parameter has changed (masks packed). Throws ConfigError
  // when the pattern of a group matches no parameter.
  void start(Network& network);
  // Whether it was started for this network and the flat parameter vector is still laid out as it was then.
  bool fits(const Network& network) const;
  // One update on the data already provided: gradients of the pass's heads, then the rule, then weight modifiers.
  // Throws NumericError, with all parameters as they were, when the loss is not finite.
  // A handler that records steps repeats it; a CPU handler just calls it.
  void step(PassId pass, const Progress& progress, Start start = Start::Fresh);
  Index steps() const { return steps_; }
  // For checkpoints: state vectors as host arrays in flat order, and back.
  std::vector<HostArray> save_state() const;
  void load_state(const std::vector<HostArray>& state, Index steps);

 private:
  // What the recorded step does next; on the heap, since a stepper may be moved.
  struct Now {
    Stepper* stepper = nullptr;
    PassId pass;
    const Progress* progress = nullptr;
    Start start = Start::Fresh;
  };
  void learn(PassId pass, const Progress& progress, Start start);
  UpdateRange range_of(const ParameterStore::Trainable& piece) const;
  std::size_t place_of(const ParameterStore::Trainable& piece) const;
  const UpdateRule& rule_of(const ParameterStore::Trainable& piece) const;
  void go_back(const Progress& progress);
  void update_rest(const Progress& progress, Index step);
  void choose_groups();
  void make_state();
  std::unique_ptr<UpdateRule> rule_;
  std::vector<const UpdateRule*> rules_;  // by the parameters' places in the store
  Network* network_ = nullptr;
  std::vector<Index> offsets_;  // of the parameters when it was started
  DeviceBlock block_;
  std::vector<Tensor> state_;
  Index steps_ = 0;
  std::unique_ptr<Now> now_;
  std::unique_ptr<Executable> recorded_;
  bool keep_gradients_ = true;
  class PieceUpdate;
  std::vector<PieceUpdate> along_the_way_;  // by the parameters' places
  std::vector<GradientTaker*> takers_;
};

}  // namespace squall
