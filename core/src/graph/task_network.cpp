#include "squall/core/task_network.hpp"

#include <algorithm>
#include <map>

namespace squall {

namespace {

// The multi layer of a layer of one task, with its options; "" for those that each task has.
std::string multi_kind(const LayerSpec& layer, json& options) {
  const json& old = layer.options;
  const auto move = [&](const char* from, const char* to) {
    if (old.contains(from)) options[to] = old[from];
  };
  if (layer.type == "FullyConnected") {
    move("size", "units");
    if (options.contains("units") && options["units"].is_array()) {
      if (options["units"].size() != 1)
        raise<ConfigError>("layer '", layer.name, "': several tasks cannot have an output of ", options["units"].dump(),
                           "; give one number of units");
      options["units"] = json(options["units"][0]);
    }
    move("activation", "activation");
    return "MultiMaskedDense";
  }
  if (layer.type == "Convolution2D") {
    move("num_filters", "filters");
    move("kernel_size", "kernel_size");
    move("stride", "strides");
    move("padding", "padding");
    move("activation", "activation");
    return "MultiMaskedConv2D";
  }
  if (layer.type != "Pooling2D") return "";
  if (old.value("type", "max") != "max")
    raise<ConfigError>("layer '", layer.name, "': several tasks can only have pools that take the maximum");
  move("kernel_size", "pool_size");
  move("stride", "strides");
  move("padding", "padding");
  return "MultiMaxPool2D";
}

class Spreader {
 public:
  Spreader(const std::vector<std::string>& tasks, std::string data, std::string targets)
      : tasks_(tasks), data_(std::move(data)), targets_(std::move(targets)) {}

  Architecture run(const Architecture& single) {
    for (const LayerSpec& layer : single.layers()) add(layer);
    for (const Connection& c : single.connections())
      for (const auto& task : tasks_) connect(c, task);
    return std::move(out_);
  }

 private:
  std::string port_of_input(const std::string& name, const std::string& task) const {
    return name == data_ ? task : task + "_" + (name == targets_ ? "targets" : name);
  }

  void add(const LayerSpec& layer) {
    json options = json::object();
    if (layer.type == "Input") {
      json shapes = json::object();
      for (const auto& task : tasks_)
        for (const auto& [name, shape] : layer.options["out_shapes"].items()) {
          json own = shape;
          for (json& extent : own)
            if (extent == "B") extent = "B_" + task;
          shapes[port_of_input(name, task)] = own;
        }
      out_.input(shapes);
      kinds_[layer.name] = "Input";
      return;
    }
    const std::string kind = multi_kind(layer, options);
    kinds_[layer.name] = kind;
    options["tasks"] = tasks_;
    if (!kind.empty()) {
      out_.add(layer.name, kind, options);
      return;
    }
    for (const auto& task : tasks_) out_.add(task + "_" + layer.name, layer.type, layer.options);
  }

  void connect(const Connection& c, const std::string& task) {
    Connection own = c;
    if (kinds_[c.from] == "Input")
      own.output = port_of_input(c.output, task);
    else if (kinds_[c.from].empty())
      own.from = task + "_" + c.from;
    else
      own.output = task;
    if (kinds_[c.to].empty())
      own.to = task + "_" + c.to;
    else
      own.input = task;
    out_.connect(own);
  }

  const std::vector<std::string>& tasks_;
  std::string data_, targets_;
  std::map<std::string, std::string> kinds_;
  Architecture out_;
};

}  // namespace

Architecture with_tasks(const Architecture& single, const std::vector<std::string>& tasks, const std::string& data_name,
                        const std::string& targets_name) {
  if (tasks.empty()) raise<ConfigError>("a network of several tasks needs their names");
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (tasks[i].empty() || std::ranges::find(tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(i),
                                              tasks[i]) != tasks.begin() + static_cast<std::ptrdiff_t>(i))
      raise<ConfigError>("task '", tasks[i], "' is named twice or not at all");
  return Spreader(tasks, data_name, targets_name).run(single);
}

SpecNetwork task_network_from_spec(const json& network, std::string_view where) {
  std::vector<std::string> tasks;
  if (const auto expected = read_value(network.value("tasks", json()), tasks))
    raise<ConfigError>(where, ".tasks should be ", *expected);
  json single = network;
  single.erase("tasks");
  SpecNetwork out = network_from_spec(single, where);
  InOutOptions options;
  Problems ignored;
  read_fields(single, where, options, ignored);
  try {
    out.architecture = with_tasks(out.architecture, tasks, options.data_name, options.targets_name);
  } catch (const ConfigError& e) {
    raise<ConfigError>(where, ": ", e.what());
  }
  out.output.clear();
  return out;
}

}  // namespace squall
