// Properties of networks wired at random from small layers: gradients, memory modes, heads, poison.
#include <algorithm>

#include "support/catch.hpp"
#include "support/graph_rig.hpp"

using namespace squall;
using namespace graph_test;

namespace {

// Adds layers one after another, each on outputs that are already there; what nobody read at the end may get a loss.
class Wirer {
 public:
  explicit Wirer(std::uint64_t seed) : rng_(seed, "graph") {
    a_.input({{"x", {"T", "B", 3}}, {"y", {"T", "B", 2}}});
    open_ = {{"Input.x", 3}, {"Input.y", 2}};
  }

  Architecture wire(int layers) {
    for (int i = 0; i < layers; ++i) add(i);
    int losses = 0;
    for (const auto& source : open_) {
      if (source.first.starts_with("Input") || (losses > 0 && rng_.below(4) == 0)) continue;
      a_[source.first] >> a_.add(concat("Loss", losses++), "Loss", {{"importance", 0.3}});
    }
    for (std::size_t i = 0; i < dense_.size(); i += 3)
      a_[dense_[i] + "...parameters.W"] >> a_.add(concat("Sq_W", i), "Square") >>
          a_.add(concat("Decay", i), "Loss", {{"importance", 0.05}});
    return a_;
  }

 private:
  using Source = std::pair<std::string, Index>;

  void add(int i) {
    static const std::vector<std::string> kKinds{"Dense", "Dense", "Tanh",  "Square",   "Leaky", "Product",
                                                 "Add",   "Fork",  "Noise", "Counting", "Dense", "Cube"};
    const auto kind = kKinds[static_cast<std::size_t>(rng_.below(static_cast<Index>(kKinds.size())))];
    const std::string name = concat(kind, "_", i);
    if (kind == "Product" || kind == "Add") return add_pair(kind, name);
    const Source from = pick();
    Index width = from.second;
    if (kind == "Dense") {
      width = 2 + rng_.below(3);
      a_.add(name, kind, {{"size", width}});
      dense_.push_back(name);
    } else {
      a_.add(name, kind);
    }
    a_[from.first] >> a_[name];
    if (kind == "Dense" && rng_.below(3) == 0) join_another(name, from);
    if (kind == "Fork") {
      open_.emplace_back(name + ".left", width);
      open_.emplace_back(name + ".right", width);
      return;
    }
    publish(name, width, kind == "Square" || kind == "Cube");
  }

  void add_pair(const std::string& kind, const std::string& name) {
    const Source first = pick();
    Source second = pick();
    if (second.second != first.second) second = first;  // the same source twice
    a_.add(name, kind);
    a_[first.first] >> "a" - a_[name];
    a_[second.first] >> "b" - a_[name];
    publish(name, first.second, kind == "Product");
  }

  // Large numbers are squashed, so that differences stay exact.
  void publish(const std::string& name, Index width, bool squash) {
    if (squash) a_[name] >> a_.add(name + "_t", "Tanh");
    open_.emplace_back(squash ? name + "_t" : name, width);
  }

  void join_another(const std::string& name, const Source& first) {
    const Source other = pick();
    if (other.first != first.first) a_[other.first] >> a_[name];
  }

  Source pick() { return open_[static_cast<std::size_t>(rng_.below(static_cast<Index>(open_.size())))]; }

  Rng rng_;
  Architecture a_;
  std::vector<Source> open_;
  std::vector<std::string> dense_;
};

Architecture random_network(std::uint64_t seed) { return Wirer(seed).wire(6 + static_cast<int>(seed % 12)); }

constexpr std::uint64_t kNetworks = 120;

}  // namespace

TEST_CASE("gradients of random networks agree with differences, whichever losses are asked for") {
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    INFO("network " << seed << ": " << random_network(seed).to_json().dump());
    Net net(random_network(seed));
    fill_parameters(net, seed);
    net.provide(random_batch(net.graph(), seed, 1 + static_cast<Index>(seed % 3), 2));
    REQUIRE(gradient_error(net, net.pass(Mode::Train), 2) < 1e-6);
    const auto losses = net.graph().losses();
    const std::string one = net.graph().node(losses[seed % losses.size()]).name;
    REQUIRE(gradient_error(net, net.pass(Mode::Train, {one}), 2) < 1e-6);
  }
}

TEST_CASE("sharing memory changes no bit of random networks, nor do poison, guards and a run before") {
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    const Architecture a = random_network(seed);
    INFO("network " << seed << ": " << a.to_json().dump());
    const std::vector<std::string> wanted{"Input.*"};
    Net plain(a, {.memory = MemoryMode::Inspectable, .wants_deltas = wanted});
    Net compact(a, {.wants_deltas = wanted});
    Net poisoned(a, {.wants_deltas = wanted, .poison = true});
    Net guarded(a, {.wants_deltas = wanted, .poison = true, .sentinels = true}, "debug:cpu:f64");
    const Batch batch = random_batch(plain.graph(), seed, 2, 3);
    for (Net* net : {&plain, &compact, &poisoned, &guarded}) {
      fill_parameters(*net, seed);
      train_step(*net, random_batch(net->graph(), 99, 3, 1));
      train_step(*net, batch);
    }
    REQUIRE(guarded.check_sentinels());
    REQUIRE(compact.arena_bytes() <= plain.arena_bytes());
    for (Net* net : {&compact, &poisoned, &guarded}) {
      REQUIRE(net->total_loss() == plain.total_loss());
      REQUIRE(net->get("gradients") == plain.get("gradients"));
      REQUIRE(net->get("Input.output_deltas.x") == plain.get("Input.output_deltas.x"));
      REQUIRE(net->get("Input.output_deltas.y") == plain.get("Input.output_deltas.y"));
      REQUIRE(net->get_states() == plain.get_states());
    }
  }
}

TEST_CASE("every output of random networks is the same as a head alone and in the whole") {
  for (std::uint64_t seed = 0; seed < kNetworks; seed += 5) {
    const Architecture a = random_network(seed);
    INFO("network " << seed);
    Net whole(a, inspectable());
    Net alone(a);
    const Batch batch = random_batch(whole.graph(), seed, 2, 3);
    for (Net* net : {&whole, &alone}) {
      fill_parameters(*net, seed);
      net->provide(batch);
    }
    whole.forward(Mode::Eval);
    for (const auto& node : whole.graph().nodes()) {
      if (node.name == "Input" || node.implied) continue;
      alone.forward(alone.pass(Mode::Eval, {node.name}));
      for (const auto& output : node.outputs) {
        const std::string path = node.name + ".outputs." + output.name;
        REQUIRE(alone.get(path) == whole.get(path));
      }
    }
  }
}

TEST_CASE("buffers of random networks that are alive together never overlap") {
  for (std::uint64_t seed = 0; seed < kNetworks; ++seed) {
    Net net(random_network(seed));
    const Layout layout = net.plan_memory(net.pass(Mode::Train), {{"T", 2}, {"B", 3}});
    for (const auto& a : layout.buffers)
      for (const auto& b : layout.buffers) {
        if (&a == &b || a.bytes == 0 || b.bytes == 0 || a.last < b.first || b.last < a.first) continue;
        REQUIRE((a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset));
      }
    REQUIRE(layout.arena_bytes >= layout.lower_bound_bytes);
  }
}
