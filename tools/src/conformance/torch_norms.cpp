// PyTorch's normalisation and tables of embeddings. Its images have the channels first, ours last.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

namespace {

void add_affine(const TorchCase& c, RecordedLayer& m) {
  for (const std::string name : {"weight", "bias"})
    if (c.file.exists("/parameters/" + name)) m.parameters.push_back({name, "Layer." + name});
}

// x (N, C, spatial...), or another name of it.
RecordedTensor image(const TorchCase& c, const std::string& group, const std::string& name, const std::string& ours) {
  const int rank = c.file.read(group + name).shape().rank();
  const bool alone = c.module.starts_with("InstanceNorm") && rank == c.module[12] - '0' + 1;  // one example
  if (alone) return {name, ours, axis_to_end(0), {}};
  return {name, ours, rank > 2 ? axis_to_end(1) : Arrange()};
}

RecordedLayer with_statistics(const TorchCase& c, const std::string& type) {
  RecordedLayer m;
  m.type = type;
  m.options = {{"epsilon", c.argument("eps", 1e-5)},
               {"momentum", c.argument("momentum", 0.1)},
               {"affine", c.file.exists("/parameters/weight")},
               {"track_running_stats", c.file.exists("/buffers/running_mean")}};
  m.training = c.training;
  if (!c.training) m.options["fixed_stats"] = true;  // the recordings go back through evaluation
  add_affine(c, m);
  const bool instance = type.starts_with("Instance");
  if (c.file.exists("/buffers/running_mean")) {
    m.states = {{"running_mean", "Layer.running_mean"}, {"running_var", "Layer.running_var"}};
    const auto one = [](const HostArray& x) { return x.reshaped(Shape{1}); };
    if (!instance) m.states.push_back({"num_batches_tracked", "Layer.num_batches_tracked", one});
  }
  for (const auto& name : c.file.children("/inputs")) m.inputs.push_back(image(c, "/inputs/", name, "default"));
  m.in_turn = m.inputs.size() > 1;
  for (const auto& name : c.file.children("/outputs"))
    m.outputs.push_back(image(c, "/outputs/", name, "Layer.default"));
  return m;
}

RecordedLayer group_norm(const TorchCase& c) {
  RecordedLayer m;
  m.type = "GroupNorm";
  m.options = {{"num_groups", c.arguments.at("num_groups")},
               {"epsilon", c.argument("eps", 1e-5)},
               {"affine", c.file.exists("/parameters/weight")}};
  add_affine(c, m);
  m.inputs = {image(c, "/inputs/", "x", "default")};
  m.outputs = {image(c, "/outputs/", "y", "Layer.default")};
  return m;
}

RecordedLayer last_axes(const TorchCase& c) {
  RecordedLayer m;
  m.type = c.module;
  m.options = {{"normalized_shape", c.arguments.at("normalized_shape")},
               {"elementwise_affine", c.file.exists("/parameters/weight")}};
  if (!c.argument("eps", nullptr).is_null()) m.options["epsilon"] = c.arguments["eps"];
  if (c.module == "LayerNorm") m.options["bias"] = c.file.exists("/parameters/bias");
  add_affine(c, m);
  m.inputs = {{"x", "default"}};
  m.outputs = {{"y", "Layer.default"}};
  return m;
}

// Ids without an axis behind the batch get one of 1.
RecordedTensor ids(const TorchCase& c, const std::string& name, const std::string& ours, const std::string& batch) {
  const auto column = [](const HostArray& x) { return x.reshaped(x.shape().with_back(1)); };
  const bool flat = c.file.read("/inputs/" + name).shape().rank() == 1;
  return {name, ours, flat ? Arrange(column) : Arrange(), {batch}};
}

RecordedLayer embedding(const TorchCase& c) {
  RecordedLayer m;
  m.type = c.module;
  m.options = {{"num_embeddings", c.arguments.at("num_embeddings")},
               {"embedding_dim", c.arguments.at("embedding_dim")},
               {"padding_idx", c.argument("padding_idx", nullptr)},
               {"scale_grad_by_freq", c.argument("scale_grad_by_freq", false)}};
  m.parameters = {{"weight", "Layer.W"}};
  const bool offsets = c.file.exists("/inputs/offsets");
  m.inputs = {ids(c, "ids", "default", offsets ? "B_ids" : "B")};
  m.outputs = {{"y", "Layer.default"}};
  const Shape shape = c.file.read("/inputs/ids").shape();
  if (c.module == "Embedding" && shape.rank() > 1 && shape[-1] == 1)  // ours has no axis of 1 before the width
    m.outputs[0].arrange = [](const HostArray& y) {
      const int rank = y.shape().rank();
      return y.reshaped(y.shape().until(rank - 2).with_back(y.shape()[-1]));
    };
  if (c.module == "EmbeddingBag") m.options["mode"] = c.argument("mode", "mean");
  if (offsets) m.inputs.push_back(ids(c, "offsets", "offsets", "B"));
  if (c.file.exists("/inputs/per_sample_weights"))
    m.inputs.push_back(ids(c, "per_sample_weights", "per_sample_weights", offsets ? "B_ids" : "B"));
  return m;
}

}  // namespace

void add_norm_modules(TorchTable& table) {
  for (int axes = 1; axes <= 3; ++axes)
    for (const std::string kind : {"BatchNorm", "InstanceNorm"})
      table[concat(kind, axes, "d")] = [=](const TorchCase& c) { return with_statistics(c, concat(kind, axes, "D")); };
  table["GroupNorm"] = group_norm;
  table["LayerNorm"] = table["RMSNorm"] = last_axes;
  table["Embedding"] = table["EmbeddingBag"] = embedding;
}

}  // namespace squall::conformance
