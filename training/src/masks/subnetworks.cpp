#include "squall/training/subnetworks.hpp"

#include <algorithm>
#include <cmath>

#include "squall/core/error.hpp"

namespace squall {

namespace {

SubnetworkOverlap count(const MaskedParameter& a, const MaskedParameter& b) {
  SubnetworkOverlap out{a.layer, a.name};
  const auto x = a.kept.span<std::uint8_t>(), y = b.kept.span<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] != 0)
      ++(y[i] != 0 ? out.both : out.first_only);
    else
      ++(y[i] != 0 ? out.second_only : out.neither);
  }
  return out;
}

json describe(const SubnetworkOverlap& o) {
  json out = {{"weights", o.all()},
              {"both", o.share(o.both)},
              {"first_only", o.share(o.first_only)},
              {"second_only", o.share(o.second_only)},
              {"neither", o.share(o.neither)},
              {"jaccard", o.jaccard()},
              {"first_in_second", o.first_in_second()},
              {"second_in_first", o.second_in_first()}};
  if (!o.layer.empty()) out["layer"] = o.layer;
  if (!o.parameter.empty()) out["parameter"] = o.parameter;
  return out;
}

std::string percent(double share) {
  const auto tenths = static_cast<Index>(std::lround(share * 1000));
  return concat(tenths / 10, ".", tenths % 10, " %");
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string line(const std::string& name, const SubnetworkOverlap& o) {
  return padded(name, 24) + padded(percent(o.share(o.both)), 10) + padded(percent(o.share(o.first_only)), 12) +
         padded(percent(o.share(o.second_only)), 13) + padded(percent(o.share(o.neither)), 10) +
         padded(percent(o.first_in_second()), 17) + percent(o.second_in_first()) + "\n";
}

}  // namespace

SubnetworkOverlap& SubnetworkOverlap::operator+=(const SubnetworkOverlap& other) {
  both += other.both;
  first_only += other.first_only;
  second_only += other.second_only;
  neither += other.neither;
  return *this;
}

OverlapReport compare_subnetworks(Network& first, Network& second) {
  const auto a = subnetwork(first), b = subnetwork(second);
  if (a.empty()) raise<ConfigError>("the first network has no learned masks");
  if (b.size() != a.size())
    raise<ConfigError>("one network has masks over ", a.size(), " parameters, the other over ", b.size());
  OverlapReport out;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].layer != b[i].layer || a[i].name != b[i].name || a[i].kept.shape() != b[i].kept.shape())
      raise<ConfigError>("one network has a mask over '", a[i].layer, ".", a[i].name, "' ", a[i].kept.shape(),
                         ", the other over '", b[i].layer, ".", b[i].name, "' ", b[i].kept.shape());
    out.tensors.push_back(count(a[i], b[i]));
    if (out.layers.empty() || out.layers.back().layer != a[i].layer)
      out.layers.push_back(SubnetworkOverlap{a[i].layer, {}});
    out.layers.back() += out.tensors.back();
    out.total += out.tensors.back();
  }
  return out;
}

json OverlapReport::to_json() const {
  json out = {{"total", describe(total)}, {"layers", json::array()}, {"parameters", json::array()}};
  for (const auto& one : layers) out["layers"].push_back(describe(one));
  for (const auto& one : tensors) out["parameters"].push_back(describe(one));
  return out;
}

std::string OverlapReport::text() const {
  std::string out = padded("", 24) + padded("both", 10) + padded("first only", 12) + padded("second only", 13) +
                    padded("neither", 10) + padded("first in second", 17) + "second in first\n";
  for (const auto& one : layers) out += line(one.layer, one);
  return out + line("all", total);
}

std::unique_ptr<Network> apply_masks(Network& network) {
  const auto kept = subnetwork(network);
  if (kept.empty()) raise<ConfigError>("the network has no learned masks");
  json plain = network.architecture().to_json();
  for (const auto& one : kept)
    if (!plain[one.layer].contains("@masks"))
      raise<ConfigError>("layer '", one.layer, "' is a ", plain[one.layer]["@type"].get<std::string>(),
                         " and cannot be had without its mask; use a plain layer with a mask put over it");
  for (auto& layer : plain) layer.erase("@masks");
  auto out = std::make_unique<Network>(Architecture::from_json(plain), network.catalog(), network.handler_pointer(),
                                       network.options());
  for (const auto& e : out->store().entries()) {
    const std::string& layer = out->graph().node(e.node).name;
    ParameterEntry& to = *out->store().find(layer, e.info->name);
    const ParameterEntry& from = *network.store().find(layer, e.info->name);
    out->store().set(to, network.store().get(from));
    const auto found =
        std::ranges::find_if(kept, [&](const auto& one) { return one.layer == layer && one.name == e.info->name; });
    if (found != kept.end()) out->store().set_mask(to, found->kept);
  }
  out->set_states(network.get_states());
  return out;
}

}  // namespace squall
