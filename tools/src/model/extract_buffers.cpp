#include "squall/tools/extract_buffers.hpp"

#include <algorithm>
#include <functional>
#include <span>

#include "squall/io/h5_file.hpp"
#include "squall/training/task.hpp"

namespace squall {

namespace {

using Sink = std::function<void(const std::string&, const HostArray&, bool per_example)>;

struct Path {
  std::string layer, category, name;
};

Path parts_of(const std::string& buffer) {
  const auto dot = buffer.find('.');
  const auto second = dot == std::string::npos ? dot : buffer.find('.', dot + 1);
  if (second == std::string::npos)
    raise<ConfigError>("'", buffer, "' is no buffer: give LAYER.CATEGORY.NAME, like Hid.outputs.default");
  return {buffer.substr(0, dot), buffer.substr(dot + 1, second - dot - 1), buffer.substr(second + 1)};
}

bool is_fixed(const std::string& category) { return category == "parameters" || category == "state"; }

void check(const Path& path, const std::string& buffer, const Network& network) {
  if (network.graph().find(path.layer) < 0)
    raise<ConfigError>("'", buffer, "': there is no layer '", path.layer, "'",
                       did_you_mean(path.layer, network.graph().names()));
  const std::vector<std::string> categories{"outputs", "inputs", "internals", "parameters", "state"};
  if (std::ranges::find(categories, path.category) == categories.end())
    raise<ConfigError>("'", buffer, "': '", path.category, "' is not ", join(categories, " or "),
                       did_you_mean(path.category, categories));
}

// Outputs of these layers that the data at hand suffice for.
std::vector<std::string> possible(const Network& network, std::span<const Node> nodes, const DataIterator& data) {
  std::vector<std::string> heads;
  for (const Node& node : nodes) {
    if (node.implied || node.name == "Input") continue;
    for (const auto& output : node.outputs) {
      const std::string head = node.name + "." + output.name;
      const auto needed = needed_inputs({head}, network.graph());
      const bool there = std::ranges::all_of(needed, [&](const std::string& name) {
        return std::ranges::any_of(data.fields(), [&](const auto& f) { return f.name == name; });
      });
      if (there) heads.push_back(head);
    }
  }
  return heads;
}

// What must run for one buffer: the output itself, an output that its input serves, or what the layer can compute.
std::vector<std::string> heads_for(const Path& path, const Network& network, const DataIterator& data) {
  const Node& node = network.graph().node(network.graph().find(path.layer));
  if (is_fixed(path.category) || node.name == "Input") return {};
  if (path.category == "outputs") return {path.layer + "." + path.name};
  if (const int input = node.find_input(path.name); path.category == "inputs" && input >= 0)
    for (const auto& output : node.outputs)
      if (std::ranges::find(output.depends, input) != output.depends.end()) return {path.layer + "." + output.name};
  auto heads = possible(network, std::span(&node, 1), data);
  return heads.empty() ? std::vector<std::string>{path.layer} : heads;
}

// Whatever can run where only data and parameters are asked for.
PassId pass_for(Network& network, const std::vector<std::string>& buffers, const DataIterator& data) {
  PassRequest request;
  request.mode = Mode::Eval;
  for (const auto& buffer : buffers) {
    const Path path = parts_of(buffer);
    check(path, buffer, network);
    for (auto& head : heads_for(path, network, data))
      if (std::ranges::find(request.heads, head) == request.heads.end()) request.heads.push_back(std::move(head));
  }
  if (request.heads.empty()) request.heads = possible(network, network.graph().nodes(), data);
  return network.pass(request);
}

Index run_over(Network& network, DataIterator& data, const std::vector<std::string>& buffers, const Sink& sink) {
  if (buffers.empty()) raise<ConfigError>("name at least one buffer, like Hid.outputs.default");
  const PassId pass = pass_for(network, buffers, data);
  Batch batch;
  Index examples = 0;
  data.restart(0);
  for (bool first = true; data.next(batch); first = false) {
    network.provide(batch);
    network.forward(pass);
    examples += batch.fields.empty() ? 0 : batch.fields[0].second.shape()[1];
    for (const auto& buffer : buffers) {
      const bool fixed = is_fixed(parts_of(buffer).category);
      if (!fixed || first) sink(buffer, network.get(buffer), !fixed);
    }
  }
  return examples;
}

HostArray joined(const std::vector<HostArray>& parts) {
  if (parts.size() == 1) return parts[0];
  const Shape& shape = parts[0].shape();
  Index examples = 0;
  for (const auto& p : parts) examples += p.shape()[1];
  HostArray out(parts[0].dtype(), shape.from(2).with_front(examples).with_front(shape[0]));
  auto* to = static_cast<std::byte*>(out.data());
  for (Index t = 0; t < shape[0]; ++t)
    for (const auto& p : parts) {
      if (p.shape()[0] != shape[0])
        raise<DataError>("batches of ", shape[0], " and of ", p.shape()[0], " time steps cannot be joined");
      const ConstTensor step = p.view().at(t);
      std::memcpy(to, step.data(), step.bytes());
      to += step.bytes();
    }
  return out;
}

}  // namespace

std::map<std::string, HostArray> extract(Network& network, DataIterator& data,
                                         const std::vector<std::string>& buffers) {
  std::map<std::string, std::vector<HostArray>> parts;
  run_over(network, data, buffers,
           [&](const std::string& path, const HostArray& array, bool) { parts[path].push_back(array); });
  std::map<std::string, HostArray> out;
  for (const auto& [path, arrays] : parts) out[path] = joined(arrays);
  return out;
}

Index extract_and_save(Network& network, DataIterator& data, const std::vector<std::string>& buffers,
                       const std::filesystem::path& path) {
  H5DiskWriter file(path);
  file.attribute("/", "info", "Created with squall");
  file.attribute("/", "format", "Buffers file v1.0");
  const Index examples =
      run_over(network, data, buffers, [&](const std::string& name, const HostArray& array, bool per_example) {
        if (per_example)
          file.append("/" + name, array.view(), 1, {0});
        else
          file.write("/" + name, array);
      });
  file.commit();
  return examples;
}

}  // namespace squall
