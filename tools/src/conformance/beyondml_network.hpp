// A recorded network of BeyondML, both flavours, as one of ours: a task for each output, recorded states put in and
// compared, inputs and targets as data.
#pragma once

#include "conformance/compare.hpp"
#include "conformance/layer_replay.hpp"
#include "squall/training/iterators.hpp"
#include "squall/training/task.hpp"

namespace squall::conformance {

class RecordedNetwork {
 public:
  // With the state of `stage` ("before").
  RecordedNetwork(const H5Reader& file, const std::shared_ptr<Handler>& handler, const std::string& stage = "before");

  Network& network() { return *network_; }
  void replace(std::unique_ptr<Network> other) { network_ = std::move(other); }  // of the same layers by name
  const std::vector<Task>& tasks() const { return tasks_; }
  const std::vector<std::string>& outputs() const { return outputs_; }  // "Layer.output" per recorded output

  // Values and, where `masks`, masks of a group; `row` of datasets with one row per epoch or event.
  void set_state(const std::string& group, Index row = -1, bool masks = true);
  // Compares values and masks; `values` false: masks only.
  void compare_state(const std::string& group, Index row, const std::string& where, Comparison& c, bool values = true);
  // Gradients of the last backward pass times `factor`.
  void compare_gradients(const std::string& group, double factor, Comparison& c);
  void compare_predictions(const std::string& group, const DataSource& data, Comparison& c);

  // `group` holds NODE, `targets` the numbers of the outputs; examples first .. first + count (-1: all).
  std::shared_ptr<DataSource> data(const std::string& inputs = "/inputs", const std::string& targets = "/targets",
                                   Index first = 0, Index count = -1) const;

  // A recorded tensor ("shared1/w"), or a slice of it ("shared1/w[1]"): its mask with us and in a group, ones where
  // there is none.
  std::vector<std::string> tensors() const;  // "LAYER/w", "LAYER/b" of layers with masks, slices apart
  std::vector<std::uint8_t> mask_of(const std::string& tensor) const;
  std::vector<std::uint8_t> recorded_mask(const std::string& group, const std::string& tensor) const;

 private:
  using Port = std::pair<std::string, std::string>;  // layer, output
  struct Place {                                     // of a recorded parameter
    std::string node, recorded;                      // "shared1", "w"
    std::string ours;                                // "shared1.W"
    Arrange arrange;
    bool multi = false;
  };
  void build();
  void add_node(const json& node, const std::vector<Port>& sources);
  void add_layer(const std::string& name, const std::string& type, json options, const std::vector<Port>& sources);
  std::vector<Port> invented_sources(const std::string& node, const std::string& type);
  void add_places(const std::string& node, const std::string& type);
  void add_losses();
  json options_of(const json& node) const;
  Index classes_of(std::string node) const;
  const json& node_named(const std::string& name) const;
  HostArray weights(const std::string& node) const { return file_.read("/" + stage_ + "/" + node + "/w"); }
  HostArray read(const std::string& group, const Place& p, Index row, const std::string& suffix = "") const;
  bool exists(const std::string& group, const Place& p, const std::string& suffix = "") const;
  std::pair<const Place*, Index> place_of(const std::string& tensor) const;
  HostArray target(const std::string& path, std::size_t output) const;
  ParameterEntry& entry(const Place& p) const;

  const H5Reader& file_;
  std::string stage_;
  bool torch_ = false;
  Catalog catalog_;
  Architecture architecture_;
  std::vector<Connection> connections_;
  json shapes_ = json::object(), nodes_;
  std::map<std::string, std::vector<Port>> ports_;
  std::vector<Place> places_;
  std::vector<std::string> outputs_, output_nodes_, losses_;
  std::vector<Task> tasks_;
  std::unique_ptr<Network> network_;
};

// JSON of an attribute; null where there is none.
json json_attribute(const H5Reader& file, const char* name);
// The recorded optimizer as a stepper.
json stepper_of(const json& optimizer);

}  // namespace squall::conformance
