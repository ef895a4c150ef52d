#include "squall/core/network.hpp"

#include <algorithm>
#include <cmath>

#include "graph/error_context.hpp"
#include "graph/network_state.hpp"
#include "squall/core/gradient_taker.hpp"

namespace squall {

namespace {

constexpr std::size_t kBindingsPerPass = 8;
constexpr std::size_t kSentinelBytes = 64;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Fits an array to what an output of Input wants; features may be given flat or in another shape of equal size.
bool fits(const OutputInfo& output, const Shape& given) {
  const int lead = (output.shape.time >= 0 ? 1 : 0) + (output.shape.batch >= 0 ? 1 : 0);
  return given.rank() >= lead && given.from(lead).elements() == output.shape.feature_size();
}

// Examples come as one step (1, B, features); an output of Input without time takes them as they are meant.
Shape seen_by(const OutputInfo& output, const Shape& given) {
  const bool batch_alone = output.shape.time < 0 && output.shape.batch >= 0;
  const bool one_step = batch_alone && given.rank() > 1 && given[0] == 1 && !fits(output, given);
  return one_step ? given.from(1) : given;
}

// Classes and the like may be given as real numbers.
void require_whole(const std::string& name, const HostArray& array) {
  for (Index i = 0; i < array.elements(); ++i) {
    const double value = array.value(i);
    if (std::nearbyint(value) != value || std::abs(value) > 2147483647.0)
      raise<DataError>("data for Input.", name, " should be whole numbers, but number ", i, " is ", value);
  }
}

// One number from the device, without allocating.
double read_one(Handler& handler, const Tensor& t) {
  return visit_dtype(t.dtype(), [&](auto value) {
    handler.memory().download(t, Tensor(&value, t.dtype(), t.shape()));
    return static_cast<double>(value);
  });
}

}  // namespace

Network::Network(const Architecture& architecture, const Catalog& catalog, std::shared_ptr<Handler> handler,
                 const NetworkOptions& options)
    : architecture_(architecture),
      catalog_(catalog),
      graph_(architecture, catalog),
      handler_(std::move(handler)),
      options_(options),
      store_(std::make_unique<ParameterStore>(graph_, *handler_)),
      inputs_(graph_.node(0).outputs.size()),
      input_shapes_(graph_.node(0).outputs.size()),
      sizes_(at(graph_.symbols().size()), -1) {}

Network::~Network() = default;

PassId Network::pass(const PassRequest& wanted) {
  PassRequest request = wanted;
  request.wants_deltas.insert(request.wants_deltas.end(), options_.wants_deltas.begin(), options_.wants_deltas.end());
  request.frozen.insert(request.frozen.end(), options_.frozen.begin(), options_.frozen.end());
  for (std::size_t i = 0; i < passes_.size(); ++i)
    if (passes_[i]->plan->request == request) return {static_cast<int>(i)};
  auto state = std::make_unique<PassState>();
  state->plan = std::make_shared<const PassPlan>(plan_pass(graph_, request));
  state->contexts = std::make_unique<ContextStore>(graph_);
  passes_.push_back(std::move(state));
  return {static_cast<int>(passes_.size()) - 1};
}

PassId Network::pass(Mode mode, const std::vector<std::string>& heads) {
  PassRequest request;
  request.mode = mode;
  request.heads = heads;
  return pass(request);
}

Network::PassState& Network::state(PassId pass) const {
  if (pass.index < 0 || at(pass.index) >= passes_.size())
    raise<ConfigError>("this pass was not registered with Network::pass()");
  return *passes_[at(pass.index)];
}

void Network::take_sizes(const OutputInfo& output, const HostArray& array, Sizes& sizes) const {
  const Shape shape = seen_by(output, array.shape());
  int axis = 0;
  for (const int symbol : {output.shape.time, output.shape.batch}) {
    if (symbol < 0) continue;
    const Index extent = shape[axis++];
    SQUALL_CHECK(extent > 0, "data for Input.", output.name, " is empty: ", array.shape());
    SQUALL_CHECK(sizes[at(symbol)] < 0 || sizes[at(symbol)] == extent, "data for Input.", output.name, " has ",
                 graph_.symbols().name(symbol), " = ", extent, ", but other data of this batch has ",
                 sizes[at(symbol)]);
    sizes[at(symbol)] = extent;
  }
}

void Network::provide(const Batch& batch) {
  const auto& outputs = graph_.node(0).outputs;
  Sizes& sizes = provided_sizes_;
  sizes.assign(sizes_.size(), -1);
  for (const auto& output : outputs) {
    const HostArray* array = batch.find(output.name);
    if (array == nullptr) continue;
    SQUALL_CHECK(fits(output, seen_by(output, array->shape())), "data for Input.", output.name, " is ", array->shape(),
                 ", but it should be ", output.shape.text(graph_.symbols()));
    take_sizes(output, *array, sizes);
  }
  for (std::size_t slot = 0; slot < outputs.size(); ++slot)
    if (const HostArray* array = batch.find(outputs[slot].name)) store_input(slot, *array);
  for (std::size_t s = 0; s < sizes.size(); ++s)
    if (sizes[s] >= 0) sizes_[s] = sizes[s];
}

void Network::store_input(std::size_t slot, const HostArray& array) {
  const OutputInfo& output = graph_.node(0).outputs[slot];
  const DType dtype = is_real(output.dtype) ? handler_->dtype() : output.dtype;
  const std::size_t bytes = static_cast<std::size_t>(array.elements()) * size_of(dtype);
  if (inputs_[slot].bytes() < bytes) {
    ++arena_generation_;  // first, as there may be no memory
    inputs_[slot] = DeviceBlock();
    inputs_[slot] = DeviceBlock(handler_->memory(), bytes);
  }
  if (is_real(array.dtype()) && !is_real(dtype)) require_whole(output.name, array);
  handler_->memory().upload(array.view(), Tensor(inputs_[slot].data(), dtype, array.shape()));
  input_shapes_[slot] = seen_by(output, array.shape());
}

void Network::drop_bindings() {
  for (auto& p : passes_) {
    p->bound.clear();
    p->trainable_known = false;
  }
  current_ = nullptr;
}

void Network::grow_arena(std::size_t bytes) {
  if (bytes <= arena_.bytes()) return;
  ++arena_generation_;
  arena_ = DeviceBlock();
  arena_ = DeviceBlock(handler_->memory(), bytes);
}

Binding& Network::bind(PassId id) {
  if (store_generation_ != store_->generation()) {  // forms of parameters have changed: plans may have, too
    drop_bindings();
    store_generation_ = store_->generation();
  }
  PassState& pass = state(id);
  choose_sizes(*pass.plan);
  auto found = std::ranges::find_if(pass.bound, [&](const auto& b) { return b.binding->sizes() == pass_sizes_; });
  if (found == pass.bound.end()) {
    if (pass.bound.size() >= kBindingsPerPass)
      pass.bound.erase(std::ranges::min_element(pass.bound, {}, &PassState::Bound::last_use));
    Binding::Options o{options_.memory, options_.seed, 0, pins_};
    if (options_.sentinels) {
      o.memory = MemoryMode::Inspectable;  // shared memory is written behind a buffer by right
      o.margin = kSentinelBytes;
    }
    pass.bound.push_back({std::make_unique<Binding>(graph_, pass.plan, pass_sizes_, *store_, *handler_, o), 0, 0});
    found = std::prev(pass.bound.end());
  }
  grow_arena(found->binding->arena_bytes());
  found->last_use = ++use_clock_;
  if (found->arena_generation != arena_generation_) {
    found->binding->attach(arena_.data(), inputs_);
    found->arena_generation = arena_generation_;
  }
  return *found->binding;
}

// Sizes that this pass does not use are 1, so that they do not ask for another binding.
void Network::choose_sizes(const PassPlan& plan) {
  pass_sizes_.assign(sizes_.size(), 1);
  const auto& outputs = graph_.node(0).outputs;
  for (std::size_t o = 0; o < outputs.size(); ++o)
    for (const int symbol : {outputs[o].shape.time, outputs[o].shape.batch})
      if (symbol >= 0 && plan.nodes[0].output_active[o])
        pass_sizes_[at(symbol)] = std::max(sizes_[at(symbol)], Index{1});
}

// Every output of Input that is read has data, and data of the sizes given last.
void Network::check_inputs(const PassPlan& plan) const {
  const auto& outputs = graph_.node(0).outputs;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    if (!plan.nodes[0].output_active[o] || graph_.readers(0, static_cast<int>(o)).empty()) continue;
    const OutputInfo& output = outputs[o];
    if (inputs_[o].data() == nullptr)
      raise<DataError>("no data was provided for Input.", output.name, ", which should be ",
                       output.shape.text(graph_.symbols()));
    int axis = 0;
    for (const int symbol : {output.shape.time, output.shape.batch})
      if (symbol >= 0)
        SQUALL_CHECK(input_shapes_[o][axis++] == sizes_[at(symbol)], "Input.", output.name, " holds data of shape ",
                     input_shapes_[o], " from an earlier batch, but this one has ", graph_.symbols().name(symbol),
                     " = ", sizes_[at(symbol)], "; provide it, too");
  }
}

PassId Network::everything(Mode mode) {
  PassId& id = everything_[mode == Mode::Train ? 1 : 0];
  if (id.index < 0) id = pass(mode);
  return id;
}

void Network::forward(Mode mode, Start start) { forward(everything(mode), start); }

void Network::forward(PassId id, Start start) {
  const PassPlan& plan = *state(id).plan;
  ContextStore& contexts = *state(id).contexts;
  check_inputs(plan);
  current_ = &bind(id);
  current_pass_ = id;
  store_->refresh();
  store_->apply_learned_masks(plan, random_step_, options_.seed);
  if (options_.poison && arena_.bytes() > 0) {  // copied, as a debug handler refuses to compute NaN
    const std::vector<std::byte> poison(arena_.bytes(), std::byte{0xFF});
    const Shape bytes{static_cast<Index>(poison.size())};
    handler_->memory().upload(ConstTensor(poison.data(), DType::U8, bytes), Tensor(arena_.data(), DType::U8, bytes));
  }
  if (options_.sentinels) fill_sentinels(*current_);
  contexts.begin(start, current_->sizes(), *handler_);
  current_->forward(*handler_, random_step_, given_, contexts);
  contexts.end(current_->sizes());
  if (plan.request.mode == Mode::Train) ++random_step_;
}

void Network::backward(bool modify) {
  go_back({});
  if (modify) apply(gradient_modifiers_, true);
}

void Network::backward(std::span<GradientTaker* const> takers) {
  if (!gradient_modifiers_.empty()) return backward();
  if (takers.size() != store_->entries().size())
    raise<ConfigError>("backward() got ", takers.size(), " takers of gradients for ", store_->entries().size(),
                       " parameters");
  for (GradientTaker* taker : takers)
    if (taker != nullptr) taker->begin();
  go_back(takers);
  gradients_given_ = std::ranges::any_of(takers, [](const GradientTaker* t) { return t != nullptr && t->complete(); });
}

void Network::go_back(std::span<GradientTaker* const> takers) {
  if (current_ == nullptr || !current_->training())
    raise<ConfigError>("backward() needs a forward pass in Train mode first");
  if (store_generation_ != store_->generation())
    raise<ConfigError>("the form of a parameter has changed since the forward pass; run it again before backward()");
  const PassPlan& plan = current_->plan();
  if (last_backward_.index != current_pass_.index && gradients().elements() > 0) handler_->memory().zero(gradients());
  last_backward_ = current_pass_;
  for (const auto& e : store_->entries()) {
    const NodePlan& p = plan.nodes[at(e.node)];
    if (p.gradient_zero_first[at(e.slot)] && e.offset >= 0)
      handler_->memory().zero(store_->effective_gradient(e.node, e.slot));
  }
  gradients_given_ = false;
  current_->backward(*handler_, takers);
  store_->finish_gradients(plan);
}

const std::vector<ParameterStore::Trainable>& Network::trainable() {
  if (current_ == nullptr) raise<ConfigError>("trainable() needs a forward pass first");
  return trainable(current_pass_);
}

const std::vector<ParameterStore::Trainable>& Network::trainable(PassId id) {
  if (store_generation_ != store_->generation()) {
    drop_bindings();
    store_generation_ = store_->generation();
  }
  PassState& pass = state(id);
  if (!pass.trainable_known || trainable_pass_ != id.index) {
    pass.trainable = store_->trainable(*pass.plan);
    pass.trainable_known = true;
    trainable_pass_ = id.index;
  }
  return pass.trainable;
}

LossReport Network::losses() const {
  LossReport report;
  if (current_ == nullptr) return report;
  for (const int n : graph_.losses())
    for (std::size_t o = 0; o < graph_.node(n).outputs.size(); ++o) {
      const Tensor& t = current_->views(n).outputs[o];
      if (!graph_.node(n).outputs[o].loss || !t) continue;
      const double value = read_one(*handler_, t);
      report.losses.push_back({graph_.node(n).name, value});
      report.total += value;
    }
  if (store_->has_mask_penalty() && current_->training()) {
    report.losses.push_back({"l0_penalty", store_->mask_penalty(current_->plan())});
    report.total += report.losses.back().value;
  }
  return report;
}

double Network::total_loss() const {
  double total = 0;
  if (current_ == nullptr) return total;
  for (int n = 0; n < graph_.size(); ++n)
    for (std::size_t o = 0; o < graph_.node(n).outputs.size(); ++o) {
      const Tensor& t = current_->views(n).outputs[o];
      if (!graph_.node(n).outputs[o].loss || !t) continue;
      const double value = read_one(*handler_, t);
      total += value;
    }
  return total + (current_->training() ? store_->mask_penalty(current_->plan()) : 0.0);
}

Context Network::get_context() const {
  if (current_ == nullptr) raise<ConfigError>("get_context() needs a forward pass first");
  return state(current_pass_).contexts->get(*handler_);
}

void Network::set_context(PassId id, const Context& context) { state(id).contexts->set(context, *handler_); }

void Network::set_context(Mode mode, const Context& context) { set_context(everything(mode), context); }

const Binding& Network::binding() const {
  if (current_ == nullptr) raise<ConfigError>("there was no forward pass yet");
  return *current_;
}

std::size_t Network::arena_bytes() const { return arena_.bytes(); }

void Network::pin(const std::string& pattern) {
  if (std::ranges::find(pins_, pattern) != pins_.end()) return;
  pins_.push_back(pattern);
  drop_bindings();
}

Layout Network::plan_memory(PassId id, const std::vector<std::pair<std::string, Index>>& given) const {
  std::vector<std::string> names;
  for (int s = 0; s < graph_.symbols().size(); ++s) names.push_back(graph_.symbols().name(s));
  Sizes sizes(names.size(), 1);
  for (const auto& [name, value] : given) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
      raise<ConfigError>("the network has no size '", name, "'", did_you_mean(name, names),
                         "; sizes are: ", squall::join(names));
    sizes[static_cast<std::size_t>(found - names.begin())] = value;
  }
  const Binding::Options o{options_.memory, options_.seed, 0, pins_};
  return Binding(graph_, state(id).plan, sizes, *store_, *handler_, o).layout();
}

}  // namespace squall
