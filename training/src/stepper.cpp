#include "squall/training/stepper.hpp"

#include <algorithm>
#include <cmath>

#include "squall/core/gradient_taker.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/pass_plan.hpp"

namespace squall {

namespace {

std::vector<Index> layout_of(const Network& network) {
  std::vector<Index> offsets{network.parameters().elements()};
  for (const auto& e : network.store().entries()) offsets.push_back(e.offset);
  return offsets;
}

}  // namespace

// The update of one parameter, part by part.
class Stepper::PieceUpdate final : public GradientTaker {
 public:
  void prepare(const UpdateRule& rule, OptimOps& ops, const UpdateRange& range, const Progress& progress, Index step) {
    rule_ = &rule;
    ops_ = &ops;
    range_ = range;
    progress_ = &progress;
    step_ = step;
  }
  void take(Index first, const ConstTensor& gradient) override {
    const auto part = [&](const Tensor& whole) { return whole ? whole.slice(first, gradient.elements()) : whole; };
    const UpdateRange piece{part(range_.value),  gradient,     part(range_.state0), part(range_.state1),
                            part(range_.state2), ConstTensor()};
    rule_->update(*ops_, piece, *progress_, step_);
  }

 private:
  const UpdateRule* rule_ = nullptr;
  OptimOps* ops_ = nullptr;
  UpdateRange range_;
  const Progress* progress_ = nullptr;
  Index step_ = 0;
};

Stepper::Stepper(std::unique_ptr<UpdateRule> rule) : rule_(std::move(rule)) {}
Stepper::~Stepper() = default;
Stepper::Stepper(Stepper&&) noexcept = default;

void require_finite(Network& network, double loss, const Progress& progress) {
  if (std::isfinite(loss)) return;
  const std::string layer = network.first_non_finite();
  if (layer == "Input")
    raise<NumericError>("the data of update ", progress.update + 1, " in epoch ", progress.epoch + 1,
                        " hold a number that is not finite; look at the inputs and targets");
  raise<NumericError>("the training loss is not finite in epoch ", progress.epoch + 1, ", update ", progress.update + 1,
                      layer.empty() ? std::string() : "; the first layer with such a number is '" + layer + "'",
                      "; a smaller learning rate or clipped gradients may help");
}

void require_finite_parameters(Network& network, const Progress& progress) {
  const Tensor flat = network.parameters();
  if (flat.elements() == 0) return;
  if (network.handler().elementwise().all_finite(ConstMatrix(flat.reshaped(Shape{1, flat.elements()})))) return;
  const std::string layer = network.first_non_finite();
  raise<NumericError>("after epoch ", progress.epoch, ", update ", progress.update, ", parameters",
                      layer.empty() ? std::string() : " of layer '" + layer + "'",
                      " are not finite; a smaller learning rate or clipped gradients may help");
}

bool UpdateRule::set(std::string_view option, double value) {
  if (!set_own(option, value)) return false;
  for (const auto& group : groups_)
    if (std::ranges::find(group.own, option) == group.own.end()) group.rule->set_own(option, value);
  return true;
}

void UpdateRule::make_groups(const json& patterns, const Catalog& catalog, std::string_view where, Problems& problems) {
  groups_.clear();
  if (!patterns.is_object())
    return problems.add(where, concat("option 'groups' should be patterns to options, not ", patterns.dump()));
  for (const auto& [pattern, options] : patterns.items()) {
    const std::string place = concat(where, ".groups.", pattern);
    if (!options.is_object()) {
      problems.add(place, concat("should be an object of options, not ", options.dump()));
      continue;
    }
    json description = describe();
    description.erase("groups");
    RuleGroup group{pattern, nullptr, {}};
    for (const auto& [name, value] : options.items()) {
      description[name] = value;
      group.own.push_back(name);
    }
    group.rule = catalog.of<UpdateRule>().make(description, place, catalog, problems);
    if (group.rule) groups_.push_back(std::move(group));
  }
}

void Stepper::start(Network& network) {
  network_ = &network;
  offsets_ = layout_of(network);
  steps_ = 0;
  choose_groups();
  make_state();
  along_the_way_ = std::vector<PieceUpdate>(rules_.size());
  takers_.assign(rules_.size(), nullptr);
  now_ = std::make_unique<Now>();
  recorded_ =
      network.handler().capture([now = now_.get()] { now->stepper->learn(now->pass, *now->progress, now->start); });
}

// The first pattern that matches a parameter decides.
void Stepper::choose_groups() {
  rules_.assign(network_->store().entries().size(), rule_.get());
  for (const auto& group : rule_->groups()) {
    bool used = false;
    std::size_t i = 0;
    for (const auto& e : network_->store().entries()) {
      const std::string& layer = network_->graph().node(e.node).name;
      const bool here = matches(group.pattern, layer) || matches(group.pattern, concat(layer, ".", e.info->name));
      if (here && rules_[i] == rule_.get()) rules_[i] = group.rule.get();
      used = used || here;
      ++i;
    }
    if (!used)
      raise<ConfigError>("the pattern '", group.pattern, "' of the stepper's groups matches no layer and no parameter",
                         did_you_mean(group.pattern, network_->graph().names()));
  }
}

void Stepper::make_state() {
  state_.clear();
  block_ = DeviceBlock();
  int wanted = rule_->state_vectors();
  for (const auto& group : rule_->groups()) wanted = std::max(wanted, group.rule->state_vectors());
  const auto count = static_cast<std::size_t>(wanted);
  const Index elements = network_->parameters().elements();
  if (count == 0 || elements == 0) return;
  const DType dtype = network_->handler().dtype();
  const std::size_t bytes = (static_cast<std::size_t>(elements) * size_of(dtype) + 63) / 64 * 64;
  block_ = DeviceBlock(network_->handler().memory(), bytes * count);
  for (std::size_t i = 0; i < count; ++i) {
    state_.emplace_back(block_.data() + i * bytes, dtype, Shape{elements});
    network_->handler().memory().zero(state_.back());
    std::size_t k = 0;
    for (const auto& e : network_->store().entries()) {
      const double initial = rules_[k++]->state_initial(static_cast<int>(i));
      if (initial != 0 && e.offset >= 0)
        network_->handler().elementwise().fill(state_.back().slice(e.offset, e.elements()), initial);
    }
  }
}

bool Stepper::fits(const Network& network) const { return network_ == &network && offsets_ == layout_of(network); }

UpdateRange Stepper::range_of(const ParameterStore::Trainable& piece) const {
  UpdateRange range;
  range.value = network_->parameters().slice(piece.offset, piece.elements);
  range.gradient = network_->gradients().slice(piece.offset, piece.elements);
  if (!state_.empty()) range.state0 = state_[0].slice(piece.offset, piece.elements);
  if (state_.size() > 1) range.state1 = state_[1].slice(piece.offset, piece.elements);
  if (state_.size() > 2) range.state2 = state_[2].slice(piece.offset, piece.elements);
  range.write = piece.write;
  return range;
}

std::size_t Stepper::place_of(const ParameterStore::Trainable& piece) const {
  return static_cast<std::size_t>(piece.entry - network_->store().entries().data());
}
const UpdateRule& Stepper::rule_of(const ParameterStore::Trainable& piece) const { return *rules_[place_of(piece)]; }

// Whole parameters that nothing stands between are updated while their gradients are made.
void Stepper::go_back(const Progress& progress) {
  std::ranges::fill(takers_, nullptr);
  if (keep_gradients_ || network_->handler().debug() || network_->modifies_gradients()) return network_->backward();
  for (const auto& piece : network_->trainable()) {
    const UpdateRule& rule = rule_of(piece);
    if (piece.elements < GradientTaker::kLargest) continue;  // it stays in the first caches anyway
    if (!rule.elementwise() || piece.write || !network_->store().updates_in_place(*piece.entry)) continue;
    PieceUpdate& update = along_the_way_[place_of(piece)];
    update.prepare(rule, network_->handler().optim(), range_of(piece), progress, steps_ + 1);
    takers_[place_of(piece)] = &update;
  }
  network_->backward(takers_);
}

void Stepper::step(PassId pass, const Progress& progress, Start start) {
  if (network_ == nullptr) raise<ConfigError>("a stepper must be started for a network before its first step");
  if (network_->parameters().elements() != offsets_[0])
    raise<ConfigError>("parameters have changed their form since the stepper was started; start it again");
  if (!rule_->learns()) {
    network_->forward(pass, start);
    return require_finite(*network_, network_->total_loss(), progress);
  }
  *now_ = {this, pass, &progress, start};
  recorded_->run();
}

void Stepper::learn(PassId pass, const Progress& progress, Start start) {
  OptimOps& ops = network_->handler().optim();
  const Index step = steps_ + 1;
  if (rule_->moves_before_pass()) {
    for (const auto& piece : network_->trainable(pass))
      rule_of(piece).before_pass(ops, range_of(piece), progress, step);
    network_->parameters_changed();
  }
  network_->forward(pass, start);
  require_finite(*network_, network_->total_loss(), progress);  // before it reaches the parameters
  go_back(progress);
  update_rest(progress, step);
  network_->parameters_changed();
  network_->apply_weight_modifiers();
  steps_ = step;
}

// What was not updated along the way; neighbours under one rule are one range.
void Stepper::update_rest(const Progress& progress, Index step) {
  OptimOps& ops = network_->handler().optim();
  const auto& pieces = network_->trainable();
  const auto done = [&](const ParameterStore::Trainable& piece) {
    const GradientTaker* taker = takers_[place_of(piece)];
    return taker != nullptr && taker->complete();
  };
  for (std::size_t i = 0; i < pieces.size();) {
    const ParameterStore::Trainable& first = pieces[i++];
    if (done(first)) continue;
    const UpdateRule& rule = rule_of(first);
    ParameterStore::Trainable all = first;
    const auto follows = [&](const ParameterStore::Trainable& next) {
      return rule.elementwise() && !all.write && !next.write && next.offset == all.offset + all.elements &&
             &rule_of(next) == &rule && !done(next);
    };
    for (; i < pieces.size() && follows(pieces[i]); ++i) all.elements += pieces[i].elements;
    rule.update(ops, range_of(all), progress, step);
  }
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
