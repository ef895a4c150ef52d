// Recorded states of BeyondML's networks: put in, compared, and as data.
#include <algorithm>

#include "conformance/beyondml_network.hpp"
#include "squall/training/mask_memory.hpp"

namespace squall::conformance {

namespace {

HostArray ones(const Shape& shape) {
  HostArray out(DType::U8, shape);
  std::ranges::fill(out.span<std::uint8_t>(), std::uint8_t{1});
  return out;
}

HostArray row_of(const HostArray& all, Index row) {
  return row < 0 ? all : HostArray::copy_of(ConstTensor(all.view()).at(row));
}

// Axis 1 of (N, C, spatial...) becomes the last one.
HostArray channels_last(const HostArray& x) { return x.shape().rank() > 2 ? axis_to_end(1)(x) : x; }

}  // namespace

ParameterEntry& RecordedNetwork::entry(const Place& p) const {
  const auto dot = p.ours.find('.');
  ParameterEntry* e = network_->store().find(p.ours.substr(0, dot), p.ours.substr(dot + 1));
  if (e == nullptr) raise<ConfigError>("there is no parameter ", p.ours);
  return *e;
}

bool RecordedNetwork::exists(const std::string& group, const Place& p, const std::string& suffix) const {
  return file_.exists(group + "/" + p.node + "/" + p.recorded + suffix);
}

// In our layout.
HostArray RecordedNetwork::read(const std::string& group, const Place& p, Index row, const std::string& suffix) const {
  const HostArray x = row_of(file_.read(group + "/" + p.node + "/" + p.recorded + suffix), row);
  return p.arrange ? p.arrange(x) : x;
}

void RecordedNetwork::set_state(const std::string& group, Index row, bool masks) {
  if (masks) unpack_masks(*network_);
  ParameterStore& store = network_->store();
  for (const auto& p : places_) {
    if (!exists(group, p)) continue;
    ParameterEntry& e = entry(p);
    if (masks) store.clear_mask(e);
    if (masks && exists(group, p, "_mask")) {
      const HostArray keep = read(group, p, row, "_mask").cast(DType::U8).reshaped(e.info->shape);
      if (keep != ones(keep.shape())) store.set_mask(e, keep);
    }
    store.set(e, read(group, p, row).reshaped(e.info->shape));
  }
}

void RecordedNetwork::compare_state(const std::string& group, Index row, const std::string& where, Comparison& c,
                                    bool values) {
  for (const auto& p : places_) {
    const ParameterEntry& e = entry(p);
    const std::string path = where + p.node + "/" + p.recorded;
    if (values && exists(group, p)) c.tensor(path, network_->store().get(e), read(group, p, row));
    if (!exists(group, p, "_mask")) continue;
    const auto keep = network_->store().mask(e);
    c.tensor(path + "_mask", keep ? *keep : ones(e.info->shape), read(group, p, row, "_mask"));
  }
}

void RecordedNetwork::compare_gradients(const std::string& group, double factor, Comparison& c) {
  for (const auto& p : places_) {
    if (!exists(group, p)) continue;
    HostArray gradient = network_->store().get_gradient(entry(p));
    for (Index i = 0; i < gradient.elements(); ++i) gradient.set_value(i, gradient.value(i) * factor);
    c.tensor(group.substr(1) + "/" + p.node + "/" + p.recorded, gradient, read(group, p, -1));
  }
}

void RecordedNetwork::compare_predictions(const std::string& group, const DataSource& data, Comparison& c) {
  Undivided all(std::make_shared<DataSource>(data));
  Batch batch;
  all.restart(0);
  all.next(batch);
  network_->provide(batch);
  network_->forward(network_->pass(Mode::Eval, outputs_));
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const auto dot = outputs_[i].find('.');
    const HostArray y = network_->get(outputs_[i].substr(0, dot) + ".outputs" + outputs_[i].substr(dot));
    c.tensor(concat(group.substr(1), "/", i), y, file_.read(concat(group, "/", i)));
  }
}

// Class labels become rows of 0 and 1.
HostArray RecordedNetwork::target(const std::string& path, std::size_t output) const {
  HostArray y = file_.read(path);
  const std::string& kind = losses_[output];
  if (kind != "sparse_categorical_crossentropy" && kind != "cross_entropy") return y;
  const Index classes = classes_of(output_nodes_[output]);
  HostArray out(DType::F64, Shape{y.shape()[0], classes});
  for (Index i = 0; i < y.shape()[0]; ++i) out.set_value(i * classes + static_cast<Index>(y.value(i)), 1);
  return out;
}

std::shared_ptr<DataSource> RecordedNetwork::data(const std::string& inputs, const std::string& targets, Index first,
                                                  Index count) const {
  auto source = std::make_shared<DataSource>();
  const auto add = [&](const std::string& name, const HostArray& x) {
    const Index n = count < 0 ? x.shape()[0] - first : count;
    source->fields.emplace_back(name, HostArray::copy_of(ConstTensor(x.view()).slice(first, n)));
  };
  for (const auto& name : file_.children(inputs)) {
    const HostArray x = file_.read(inputs + "/" + name);
    add(name, torch_ ? channels_last(x) : x);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    if (losses_[i] != "sum" && file_.exists(concat(targets, "/", i)))
      add(concat("target_", i), target(concat(targets, "/", i), i));
  return source;
}

std::vector<std::string> RecordedNetwork::tensors() const {
  std::vector<std::string> out;
  for (const auto& p : places_) {
    if (!exists("/" + stage_, p, "_mask")) continue;
    const std::string name = p.node + "/" + p.recorded;
    if (!p.multi) out.push_back(name);
    for (int t = 0; p.multi && t < entry(p).tasks(); ++t) out.push_back(concat(name, "[", t, "]"));
  }
  return out;
}

// Its place and slice, -1 for the whole.
std::pair<const RecordedNetwork::Place*, Index> RecordedNetwork::place_of(const std::string& tensor) const {
  const auto bracket = tensor.find('[');
  const std::string name = tensor.substr(0, bracket);
  for (const auto& p : places_)
    if (p.node + "/" + p.recorded == name)
      return {&p, bracket == std::string::npos ? -1 : std::stoll(tensor.substr(bracket + 1))};
  raise<DataError>("there is no tensor ", tensor);
}

std::vector<std::uint8_t> RecordedNetwork::mask_of(const std::string& tensor) const {
  const auto [place, slice] = place_of(tensor);
  const ParameterEntry& e = entry(*place);
  const auto found = network_->store().mask(e);
  const HostArray keep = row_of(found ? *found : ones(e.info->shape), slice);
  return {keep.span<std::uint8_t>().begin(), keep.span<std::uint8_t>().end()};
}

std::vector<std::uint8_t> RecordedNetwork::recorded_mask(const std::string& group, const std::string& tensor) const {
  const auto [place, slice] = place_of(tensor);
  const HostArray keep = row_of(read(group, *place, -1, "_mask"), slice);
  std::vector<std::uint8_t> out;
  for (Index i = 0; i < keep.elements(); ++i) out.push_back(keep.value(i) != 0 ? 1 : 0);
  return out;
}

}  // namespace squall::conformance
