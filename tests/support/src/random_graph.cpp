#include "squall/testing/random_graph.hpp"

#include "squall/core/random.hpp"

namespace squall::testing {

namespace {

// An output that later layers may read.
struct Port {
  std::string layer, output;
  Index size = 0;
};

class Wirer {
 public:
  explicit Wirer(std::uint64_t seed) : rng_(seed, "random graph") {}

  Architecture wire() {
    const Index first = 2 + rng_.below(4);
    const Index second = 2 + rng_.below(4);
    a_.input({{"default", {"T", "B", first}}, {"other", {"T", "B", second}}});
    ports_ = {{"Input", "default", first}, {"Input", "other", second}};
    const Index layers = 3 + rng_.below(10);
    for (Index i = 0; i < layers; ++i) add_layer();
    add_loss(ports_.back());
    for (Index more = rng_.below(3); more > 0; --more) add_loss(pick());
    if (!dense_.empty() && rng_.below(2) == 0) add_decay(dense_[static_cast<std::size_t>(rng_.below(count(dense_)))]);
    return std::move(a_);
  }

 private:
  template <class T>
  static Index count(const std::vector<T>& v) {
    return static_cast<Index>(v.size());
  }
  const Port& pick() { return ports_[static_cast<std::size_t>(rng_.below(count(ports_)))]; }
  // Another output of the same size where there is one.
  Port pick_like(const Port& like) {
    std::vector<Port> same;
    for (const auto& p : ports_)
      if (p.size == like.size) same.push_back(p);
    return same[static_cast<std::size_t>(rng_.below(count(same)))];
  }
  // Names in an order that has nothing to do with that of the layers.
  std::string fresh(const std::string& type) {
    return concat(static_cast<char>('A' + rng_.below(26)), next_++, "_", type);
  }

  std::string add(const std::string& type, const json& options,
                  const std::vector<std::pair<std::string, Port>>& inputs) {
    const std::string name = fresh(type);
    a_.add(name, type, options);
    for (const auto& [input, from] : inputs) a_.connect({from.layer, from.output, name, input});
    return name;
  }

  void add_layer() {
    static const std::vector<std::string> kSmooth{"tanh", "sigmoid", "linear"};
    const json activation{{"activation", kSmooth[static_cast<std::size_t>(rng_.below(count(kSmooth)))]}};
    const Port from = pick();
    switch (rng_.below(10)) {
      case 0: return give(add("NoOp", json::object(), {{"default", from}}), from.size);
      case 1: return give(add("Elementwise", activation, {{"default", from}}), from.size);
      case 2: {
        const Port second = pick();
        return give(add("Merge", json::object(), {{"inputs_1", from}, {"inputs_2", second}}), from.size + second.size);
      }
      case 3:
        return give(add("SquaredDifference", json::object(), {{"inputs_1", from}, {"inputs_2", pick_like(from)}}),
                    from.size);
      case 4:
        return give(add("Highway", json::object(), {{"H", from}, {"T", pick_like(from)}, {"x", pick_like(from)}}),
                    from.size);
      case 5: return give(add("Dropout", {{"drop_prob", 0.3}}, {{"default", from}}), from.size);
      case 6: return give(add("BatchNorm", json::object(), {{"default", from}}), from.size);
      case 7: return add_recurrent(from, activation);
      default: return add_dense(from, activation);
    }
  }

  void add_dense(const Port& from, json options) {
    const Index size = 1 + rng_.below(5);
    options["size"] = size;
    std::vector<std::pair<std::string, Port>> inputs{{"default", from}};
    const Port second = pick();
    if (rng_.below(3) == 0 && (second.layer != from.layer || second.output != from.output))
      inputs.emplace_back("default", second);
    dense_.push_back(add("FullyConnected", options, inputs));
    give(dense_.back(), size);
  }

  void add_recurrent(const Port& from, json options) {
    const Index size = 1 + rng_.below(4);
    options["size"] = size;
    std::vector<std::pair<std::string, Port>> inputs{{"default", from}};
    if (const Port second = pick(); second.layer != from.layer || second.output != from.output)
      inputs.emplace_back("default", second);
    give(add(rng_.below(2) == 0 ? "Recurrent" : "Lstm", options, inputs), size);
  }

  void give(const std::string& layer, Index size) { ports_.push_back({layer, "default", size}); }

  void add_loss(const Port& from) { add("Loss", {{"importance", 0.5}}, {{"default", from}}); }
  void add_decay(const std::string& dense) {
    const std::string decay = add("L2Decay", json::object(), {{"default", {dense, "..parameters.W", 0}}});
    add("Loss", {{"importance", 0.1}}, {{"default", {decay, "loss", 1}}});
  }

  Rng rng_;
  Architecture a_;
  std::vector<Port> ports_;
  std::vector<std::string> dense_;
  int next_ = 0;
};

}  // namespace

Architecture random_architecture(std::uint64_t seed) { return Wirer(seed).wire(); }

}  // namespace squall::testing
