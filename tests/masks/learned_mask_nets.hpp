// A dense layer or convolution under a learned mask, and looks at it.
#pragma once

#include "masks/mask_nets.hpp"
#include "squall/core/masks.hpp"

namespace squall::test {

struct MaskedNet {
  std::unique_ptr<Network> net;

  // "Layer" reads (B, features); mask: {"@type": ...}, null for none.
  MaskedNet(const json& mask, const json& layer = {{"@type", "Dense"}, {"units", 20}},
            const json& features = json::array({10}), const std::string& handler = "cpu:f64", std::uint64_t seed = 1) {
    json shape = features;
    shape.insert(shape.begin(), "B");
    json options = layer;
    const std::string type = options["@type"];
    options.erase("@type");
    if (!mask.is_null()) options["@masks"] = mask;
    Architecture a;
    a.input({{"x", shape}});
    a["Input.x"] >> a.add("Layer", type, options);
    NetworkOptions o;
    o.memory = MemoryMode::Inspectable;
    o.seed = seed;
    net = std::make_unique<Network>(a, catalog(), make_handler(handler), o);
    net->initialize({{"default", {{"@type", "Gaussian"}, {"std", 1.0}}}}, 3);
    std::vector<Index> extents{4};
    for (const auto& e : features) extents.push_back(e.get<Index>());
    Shape input{std::span<const Index>(extents)};
    Values x(static_cast<std::size_t>(input.elements()));
    Rng rng(5, "x");
    for (double& v : x) v = rng.normal();
    net->provide({{{"x", HostArray::of(input, x)}}});
  }

  Values values(const std::string& name) const { return net->get("Layer.parameters." + name).doubles(); }
  void set(const std::string& name, const Values& v) const {
    net->set_parameter("Layer." + name, HostArray::of(net->get("Layer.parameters." + name).shape(), v));
  }
  // Scores drawn around zero, so that about half is kept.
  void spread_scores(const std::string& name = "W_scores", double shift = 0) const {
    Values s = values(name);
    Rng rng(9, name);
    for (double& v : s) v = rng.normal() + shift;
    set(name, s);
  }
  MaskedParameter part(std::size_t i = 0) const { return subnetwork(*net).at(i); }
  Values kept(std::size_t i = 0) const { return part(i).kept.doubles(); }
  Values mask(Mode mode = Mode::Eval, std::size_t i = 0) const {
    net->forward(mode);
    return part(i).mask->last_mask().doubles();
  }
  // What the layer sees of a parameter.
  Values seen(const std::string& name = "W", Mode mode = Mode::Eval) const {
    net->forward(mode);
    const int n = net->graph().find("Layer");
    return net->handler()
        .memory()
        .to_host(net->store().effective(n, net->graph().node(n).find_parameter(name)))
        .doubles();
  }
  Values output(Mode mode = Mode::Eval) const {
    net->forward(mode);
    return net->get("Layer.outputs.default").doubles();
  }
  void ablate(Ablation a, bool resample = false) const { set_ablation(*net, a, resample); }
};

inline double sum(const Values& v) {
  double total = 0;
  for (const double x : v) total += x;
  return total;
}
inline Index zeros(const Values& v) { return std::count(v.begin(), v.end(), 0.0); }
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace squall::test
