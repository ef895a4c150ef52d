// Learned masks over the parameters of a store, and putting them on a network.
#include <algorithm>

#include "graph/network_state.hpp"
#include "squall/core/masks.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

void ParameterStore::make_learned_masks() {
  learned_.clear();
  learned_.resize(entries_.size());
  for (const auto& e : entries_) {
    if (!e.info->mask) continue;
    ParameterMask* leader = e.info->tied_to < 0 ? nullptr : learned_[index_of(entry(e.node, e.info->tied_to))].get();
    learned_[index_of(e)] = std::make_unique<ParameterMask>(graph_.node(e.node), e.slot, handler_, leader);
  }
  learned_stale_ = true;
}

ConstTensor ParameterStore::scores_of(const ParameterEntry& e) const {
  return e.info->scores < 0 ? ConstTensor() : storage(entry(e.node, e.info->scores));
}

void ParameterStore::apply_learned_masks(const PassPlan& plan, std::uint64_t step, std::uint64_t seed) {
  MaskMoment moment{plan.request.mode == Mode::Train, step, seed, learned_stale_};
  bool all = true;
  for (const auto& e : entries_) {
    ParameterMask* mask = learned_mask(e);
    if (mask == nullptr) continue;
    all = all && plan.nodes[at(e.node)].forward;
    if (plan.nodes[at(e.node)].forward) mask->prepare(storage(e), scores_of(e), moment);
  }
  if (all) learned_stale_ = false;
}

void ParameterStore::finish_learned_mask(const ParameterEntry& e, const NodePlan& plan) {
  Tensor scores;
  if (e.info->scores >= 0 && plan.gradient[at(e.info->scores)] != NodePlan::Send::Nothing)
    scores = storage_gradient(entry(e.node, e.info->scores));
  learned_mask(e)->finish(storage(e), storage_gradient(e), scores);
}

bool ParameterStore::has_mask_penalty() const {
  return std::ranges::any_of(entries_,
                             [](const auto& e) { return e.info->mask && e.info->mask->common().l0_lambda != 0; });
}

double ParameterStore::mask_penalty(const PassPlan& plan) const {
  double sum = 0;
  for (const auto& e : entries_)
    if (learned_mask(e) != nullptr && plan.nodes[at(e.node)].forward) sum += learned_mask(e)->penalty();
  return sum;
}

void Network::attach_masks(const json& patterns, std::string_view where) {
  if (store_->any_packed_or_masked() && std::ranges::any_of(store_->entries(), [](const auto& e) {
        return e.form != ParameterForm::Plain && e.form != ParameterForm::Masked;
      }))
    raise<ConfigError>("masks cannot be put over packed, kept or stored parameters; unpack them first");
  Architecture masked = with_masks(architecture_, patterns, catalog_, where);
  Graph graph(masked, catalog_);
  struct Saved {
    std::string layer, name;
    HostArray value;
    std::optional<HostArray> mask;
  };
  std::vector<Saved> saved;
  for (const auto& e : store_->entries())
    saved.push_back({graph_.node(e.node).name, e.info->name, store_->get(e), store_->mask(e)});
  const auto states = get_states();
  drop_bindings();
  architecture_ = std::move(masked);
  graph_ = std::move(graph);
  store_ = std::make_unique<ParameterStore>(graph_, *handler_);
  for (const auto& s : saved) {
    ParameterEntry& e = *store_->find(s.layer, s.name);
    store_->set(e, s.value);
    if (s.mask) store_->set_mask(e, *s.mask);
  }
  set_states(states);
  for (auto& pass : passes_) {
    pass->plan = std::make_shared<const PassPlan>(plan_pass(graph_, pass->plan->request));
    pass->contexts = std::make_unique<ContextStore>(graph_);
  }
  trainable_pass_ = -1;
  last_backward_ = {};
  store_generation_ = 0;
  weight_modifiers_ = make_modifiers(weight_patterns_, "weight_modifiers", false);
  gradient_modifiers_ = make_modifiers(gradient_patterns_, "gradient_modifiers", true);
}

}  // namespace squall
