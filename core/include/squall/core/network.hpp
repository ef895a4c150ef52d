// A network that runs: a graph, its parameters, and bindings for the sizes it has met.
//
//   Network net(architecture, catalog, make_handler("cpu:f32"));
//   net.initialize({{"default", {{"@type", "Gaussian"}, {"std", 0.01}}}, {"*", {{"bias", 0}}}}, 42);
//   net.provide(batch);
//   net.forward(Mode::Train);
//   net.backward();
//   double loss = net.losses().total;
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "squall/core/architecture.hpp"
#include "squall/core/batch.hpp"
#include "squall/core/binding.hpp"
#include "squall/core/catalog.hpp"
#include "squall/core/parameter_store.hpp"
#include "squall/core/parameters.hpp"

namespace squall {

struct NetworkOptions {
  MemoryMode memory = MemoryMode::Compact;
  std::uint64_t seed = 0;                      // of dropout and other noise
  std::vector<std::string> wants_deltas = {};  // "Input.*": deltas made and kept for inspection
  std::vector<std::string> frozen = {};        // layer patterns that are not trained
  bool poison = false;                         // fill the arena with NaN before each forward pass
  bool sentinels = false;                      // guard bytes behind every buffer, none shared; see check_sentinels()
};

struct LossReport {
  struct One {
    std::string name;  // of the Loss layer
    double value = 0;
  };
  std::vector<One> losses;  // in the order of the network
  double total = 0;
};

// A kind of pass, made by Network::pass(); cheap to copy.
struct PassId {
  int index = -1;
};

class Network {
 public:
  // The catalog must know the layer types; the handler may be shared by several networks of one thread.
  Network(const Architecture& architecture, const Catalog& catalog, std::shared_ptr<Handler> handler,
          const NetworkOptions& options = {});
  ~Network();

  const Architecture& architecture() const { return architecture_; }
  const Graph& graph() const { return graph_; }
  const Catalog& catalog() const { return catalog_; }
  Handler& handler() const { return *handler_; }
  // Goes over to another handler with parameters (in their forms), states, masks, modifiers and contexts; buffers of
  // passes are lost, and what refers to store() or holds state of updates must start anew.
  void set_handler(std::shared_ptr<Handler> handler);
  std::shared_ptr<Handler> handler_pointer() const { return handler_; }
  const NetworkOptions& options() const { return options_; }
  ParameterStore& store() { return *store_; }
  const ParameterStore& store() const { return *store_; }

  // --- passes -------------------------------------------------------------------------------------------------
  // Registers a kind of pass; the same request gives the same id. Empty heads: everything.
  PassId pass(const PassRequest& request);
  PassId pass(Mode mode, const std::vector<std::string>& heads = {});
  // Copies data for the outputs of Input and takes the sizes from it. Names Input does not have are ignored; outputs
  // that are not provided keep their data. Throws ShapeError when sizes contradict each other or features differ.
  void provide(const Batch& batch);
  // Continue: recurrent layers start from the context that the last pass of this kind (or set_context) left; zeros
  // before the first.
  void forward(PassId pass, Start start = Start::Fresh);
  void forward(Mode mode, Start start = Start::Fresh);
  Context get_context() const;  // what the last forward pass left
  void set_context(PassId pass, const Context& context);
  void set_context(Mode mode, const Context& context);
  // After a forward pass in Train mode: gradients of its heads' losses. Gradients of earlier passes are overwritten.
  // `modify`: gradient modifiers run, too.
  void backward(bool modify = true);
  // The same, but gradients of which a plan can give every part away as it is made go to these takers (by the place in
  // store().entries(), null: none) and are not there afterwards. None is used where gradients are modified.
  void backward(std::span<GradientTaker* const> takers);
  bool modifies_gradients() const { return !gradient_modifiers_.empty(); }
  LossReport losses() const;
  double total_loss() const;  // without building a report
  // From now on an internal has this content in every forward pass ("Dropout.mask"), to repeat a recorded run. An empty
  // array takes it back.
  void give_internal(std::string_view path, const HostArray& value);
  // Counts training passes; dropout of the n-th is the same whatever ran before. Checkpoints restore it.
  std::uint64_t random_step() const { return random_step_; }
  void set_random_step(std::uint64_t step) { random_step_ = step; }

  // --- inspection ---------------------------------------------------------------------------------------------
  // A copy of "L.parameters.W", "L.gradients.W", "L.state.mu", "L.outputs.x", "L.inputs.x", "L.internals.x",
  // "L.output_deltas.x", "L.input_deltas.x", "parameters", "gradients". In Compact mode only what is not shared.
  HostArray get(std::string_view path) const;
  // A view for scorers and hooks that read after a pass; the output must be wanted as a head or pinned.
  ConstTensor output(int node, int slot) const;
  void set_parameter(std::string_view path, const HostArray& value);  // "L.W" or "L.parameters.W", "L.mu" for states
  // Outputs whose memory is not reused, so that they can be read after a pass ("Layer.output" patterns).
  void pin(const std::string& pattern);
  Tensor parameters() const { return store_->flat_values(); }
  // Without those the last backward() gave away, for which get() throws.
  Tensor gradients() const { return store_->flat_gradients(); }
  Index parameter_count() const { return graph_.parameter_count(); }
  const Binding& binding() const;  // of the last forward pass
  std::size_t arena_bytes() const;
  bool check_sentinels() const;               // true when all guard bytes are intact
  std::vector<HostArray> get_states() const;  // of all layers, in order
  void set_states(const std::vector<HostArray>& states);
  // Name of the first layer, in forward order, whose output or parameters hold a number that is not finite; or "".
  std::string first_non_finite();
  // The memory plan for sizes given by symbol name (missing ones: 1), without running anything.
  Layout plan_memory(PassId pass, const std::vector<std::pair<std::string, Index>>& sizes) const;

  // --- parameters ---------------------------------------------------------------------------------------------
  // Patterns to initializers, numbers or lists (see resolve_patterns). Every parameter must be reached. The stream of
  // a parameter depends on the seed and its name only.
  void initialize(const json& patterns, std::uint64_t seed, std::string_view where = "initialize");
  void set_weight_modifiers(const json& patterns, std::string_view where = "weight_modifiers");
  void set_gradient_modifiers(const json& patterns, std::string_view where = "gradient_modifiers");
  // What this network is: {"@type": "Network", "architecture", "handler", "initializers", "seed", "weight_modifiers",
  // "gradient_modifiers", "output_name"}; what was never given is null. network_from() makes an equal network of it.
  json describe() const;
  // Puts learned masks over parameters by patterns (see with_masks() in masks.hpp); values, states and modifiers stay,
  // scores begin as the masks say. Changes the flat layout, so steppers must be started again; passes keep their ids.
  void attach_masks(const json& patterns, std::string_view where = "masks");
  void set_output_name(std::string_view path);  // of its predictions, "Layer.outputs.name"; only for describe()
  void apply_weight_modifiers();  // done by the trainer after each update; gradient modifiers run inside backward()
  // Masks are final: from now on nothing but kept weights is stored and computed, where the layer can do it, at most
  // `density` of a weight is kept and nothing else needs the whole of it (readers, modifiers). Changes the flat layout,
  // so steppers must be started again. Gives how many parameters it was done to. store().spread_all() takes it back.
  Index keep_only_masked(double density = 0.35);
  // Pieces of the flat vectors trained by the last forward pass, for update rules. Valid until masks change.
  const std::vector<ParameterStore::Trainable>& trainable();
  const std::vector<ParameterStore::Trainable>& trainable(PassId pass);  // of any pass, also before it runs
  // After an update rule has written trainable() pieces. After any other write: store().touch().
  void parameters_changed() { store_->touch_updated(); }

 private:
  struct BoundModifier {
    std::shared_ptr<Modifier> modifier;
    int entry = -1, task = -1;
    ParameterContext context;
  };
  struct PassState;
  PassId everything(Mode mode);
  PassState& state(PassId pass) const;
  void require_gradients() const;
  void go_back(std::span<GradientTaker* const> takers);
  Binding& bind(PassId pass);
  void drop_bindings();
  void grow_arena(std::size_t bytes);
  void take_sizes(const OutputInfo& output, const HostArray& array, Sizes& sizes) const;
  void check_inputs(const PassPlan& plan) const;
  void choose_sizes(const PassPlan& plan);
  void store_input(std::size_t slot, const HostArray& array);
  void fill_sentinels(const Binding& binding) const;
  HostArray get_buffer(const Node& node, int n, std::string_view category, std::string_view name) const;
  HostArray get_delta(int n, int slot) const;
  ParameterEntry& entry_at(std::string_view layer, std::string_view name);
  std::vector<BoundModifier> make_modifiers(const json& patterns, std::string_view where, bool gradients);
  void apply(const std::vector<BoundModifier>& modifiers, bool gradients);
  bool modifies(const BoundModifier& modifier) const;
  void apply_one(const BoundModifier& modifier, bool gradients, bool measure);
  void initialize_one(const PatternTarget& target, std::uint64_t seed, std::string_view where, Problems& problems);

  Architecture architecture_;
  const Catalog& catalog_;
  Graph graph_;
  std::shared_ptr<Handler> handler_;
  NetworkOptions options_;
  std::unique_ptr<ParameterStore> store_;
  std::vector<std::unique_ptr<PassState>> passes_;
  std::vector<std::string> pins_;
  DeviceBlock arena_;
  std::vector<DeviceBlock> inputs_;  // memory of each output of Input
  std::vector<Shape> input_shapes_;  // of what was provided last
  Sizes sizes_, provided_sizes_, pass_sizes_;
  PassId everything_[2];  // by mode
  int trainable_pass_ = -1;
  std::uint64_t arena_generation_ = 1, store_generation_ = 0;
  PassId last_backward_;
  bool gradients_given_ = false;  // the last backward pass gave some away
  Binding* current_ = nullptr;
  PassId current_pass_;
  std::vector<Binding::Given> given_;
  std::uint64_t random_step_ = 0, use_clock_ = 0;
  std::vector<BoundModifier> weight_modifiers_, gradient_modifiers_;
  json initializers_, initial_seed_, weight_patterns_, gradient_patterns_, output_name_;  // for describe()
};

// A network of a description, initialised as it says, on another handler than it names where one is given. Throws
// ConfigError.
std::unique_ptr<Network> network_from(const json& description, const Catalog& catalog, std::shared_ptr<Handler> handler,
                                      const NetworkOptions& options = {});

}  // namespace squall
