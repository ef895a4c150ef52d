#include "masks/commit.hpp"

#include <algorithm>
#include <cmath>

#include "squall/core/activation.hpp"

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// Variance of weights that keeps the size of activations, times their number.
double gain_of(const Network& network, const Node& node) {
  const json description = node.layer->describe();
  std::string name;
  if (description.contains("activation")) {
    name = description["activation"].is_string() ? description["activation"].get<std::string>() : "";
  } else {
    for (const auto& option : network.catalog().of<Layer>().doc(node.layer->type()).options)
      if (option.name == "activation") name = json::parse(option.default_value).get<std::string>();
  }
  Activation activation = Activation::Linear;
  read_value(json(name), activation);
  return activation == Activation::Rel ? 2 : 1;
}

// Scales the kept weights of a target to the standard deviation sqrt(gain / kept per unit).
template <class T>
void scale_kept(std::span<T> weights, const MaskBytes& keep, double rows, double gain) {
  double squares = 0, kept = 0;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] == 0) continue;
    squares += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
    ++kept;
  }
  if (squares <= 0) return;
  const double factor = std::sqrt(gain * rows / kept) / std::sqrt(squares / kept);
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] != 0) weights[i] = static_cast<T>(static_cast<double>(weights[i]) * factor);
}

void rescale(const Network& network, const Target& t, const MaskBytes& keep, HostArray& values) {
  const auto first = t.slice < 0 ? 0 : at(t.slice * t.elements());
  const double gain = gain_of(network, network.graph().node(t.node));
  visit_dtype(values.dtype(), [&](auto zero) {
    scale_kept(values.span<decltype(zero)>().subspan(first, keep.size()), keep, static_cast<double>(t.rows), gain);
  });
}

// The mask a parameter has now, ones where there is none.
HostArray mask_of(const ParameterEntry& e) {
  if (e.form == ParameterForm::Masked) return e.mask;
  HostArray keep(DType::U8, e.info->shape);
  std::ranges::fill(keep.span<std::uint8_t>(), std::uint8_t{1});
  return keep;
}

// What slices read beyond what they own stays, but for those that have just chosen.
void keep_reading(Network& network, ParameterEntry& e, HostArray read, std::span<const Target> targets,
                  std::span<const std::size_t> members, std::span<const MaskBytes> chosen) {
  for (const std::size_t i : members)
    std::ranges::copy(chosen[i], read.span<std::uint8_t>().begin() +
                                     static_cast<std::ptrdiff_t>(at(targets[i].slice) * chosen[i].size()));
  network.store().set_read_mask(e, read);
}

}  // namespace

void commit(Network& network, std::span<const Target> targets, std::span<const MaskBytes> chosen, bool rescales,
            MaskMemory* memory) {
  std::map<ParameterKey, std::vector<std::size_t>> tensors;
  for (std::size_t i = 0; i < targets.size(); ++i) tensors[key_of(targets[i])].push_back(i);
  for (const auto& [key, members] : tensors) {
    const Node& node = network.graph().node(key.first);
    ParameterEntry& e = *network.store().find(node.name, node.parameters[at(key.second)].name);
    HostArray keep = mask_of(e);
    HostArray values = network.store().get(e);
    for (const std::size_t i : members) {
      const Target& t = targets[i];
      const auto first = t.slice < 0 ? 0 : at(t.slice) * chosen[i].size();
      std::ranges::copy(chosen[i], keep.span<std::uint8_t>().begin() + static_cast<std::ptrdiff_t>(first));
      if (rescales && !t.bias) rescale(network, t, chosen[i], values);
    }
    const HostArray read = e.form == ParameterForm::Masked ? e.read : HostArray();
    if (memory != nullptr)
      memory->set_mask(network, e, keep);
    else
      network.store().set_mask(e, keep);
    if (!read.empty()) keep_reading(network, e, read, targets, members, chosen);
    if (rescales || !read.empty()) network.store().set(e, values);
  }
}

}  // namespace squall::masks
