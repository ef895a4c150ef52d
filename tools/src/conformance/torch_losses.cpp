// PyTorch's losses. Class numbers get a last axis of 1; images have their classes first there, last here.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

namespace {

// Whatever has no axis behind the batch gets one of 1.
HostArray with_column(const HostArray& x) { return x.reshaped(x.shape().with_back(1)); }

RecordedTensor numbers(const TorchCase& c, const std::string& name, const std::string& ours) {
  const int rank = c.file.read("/inputs/" + name).shape().rank();
  return {name, ours, rank == 1 ? Arrange(with_column) : Arrange()};
}

// The output: one number without batch, or one for each example.
RecordedTensor loss(const TorchCase& c, bool per_row) {
  const int rank = c.file.read("/outputs/y").shape().rank();
  if (rank == 0) return {"y", "Layer.loss", [](const HostArray& x) { return x.reshaped(Shape{1}); }, {}};
  return {"y", "Layer.loss", per_row || rank == 1 ? Arrange(with_column) : Arrange()};
}

RecordedLayer loss_of(const TorchCase& c, const std::string& type, const std::vector<std::string>& options,
                      const std::vector<std::pair<std::string, std::string>>& inputs) {
  RecordedLayer r;
  r.type = type;
  for (const auto& name : options) {
    const json value = c.argument(name, nullptr);
    if (!value.is_null()) r.options[name] = value;
  }
  r.options["reduction"] = c.argument("reduction", "mean");
  for (const auto& [recorded, ours] : inputs) r.inputs.push_back(numbers(c, recorded, ours));
  r.outputs = {loss(c, false)};
  return r;
}

// Rows of classes with a class number each, or probabilities.
RecordedLayer class_loss(const TorchCase& c, const std::string& type, const std::vector<std::string>& options) {
  RecordedLayer r = loss_of(c, type, options, {});
  const int rank = c.file.read("/inputs/input").shape().rank();
  const bool indices = c.file.read("/inputs/target").shape().rank() < rank;
  const Arrange classes_last = rank > 2 ? axis_to_end(1) : Arrange();
  r.inputs = {{"input", "default", classes_last}, {"target", "targets", indices ? Arrange(with_column) : classes_last}};
  r.outputs = {loss(c, true)};
  if (type == "CrossEntropy" && !indices) r.options["targets"] = "probabilities";
  return r;
}

RecordedLayer ctc(const TorchCase& c) {
  RecordedLayer r = loss_of(c, "Ctc", {"blank", "zero_infinity"}, {});
  r.inputs = {{"logits", "default", {}, {"T", "B"}},
              {"targets", "targets"},
              {"input_lengths", "input_lengths", with_column},
              {"target_lengths", "target_lengths", with_column}};
  return r;
}

}  // namespace

void add_loss_modules(TorchTable& table) {
  struct Plain {
    std::string module, type;
    std::vector<std::string> options;
  };
  const std::vector<Plain> pairs{{"L1Loss", "L1", {}},
                                 {"MSELoss", "Mse", {}},
                                 {"SmoothL1Loss", "SmoothL1", {"beta"}},
                                 {"HuberLoss", "Huber", {"delta"}},
                                 {"BCELoss", "Bce", {"weight"}},
                                 {"BCEWithLogitsLoss", "BceWithLogits", {"weight", "pos_weight"}},
                                 {"KLDivLoss", "KlDiv", {"log_target"}},
                                 {"PoissonNLLLoss", "PoissonNll", {"log_input", "full", "eps"}},
                                 {"SoftMarginLoss", "SoftMargin", {}},
                                 {"HingeEmbeddingLoss", "HingeEmbedding", {"margin"}}};
  for (const auto& p : pairs)
    table[p.module] = [p](const TorchCase& c) {
      return loss_of(c, p.type, p.options, {{"input", "default"}, {"target", "targets"}});
    };
  for (const auto& p : {Plain{"MarginRankingLoss", "MarginRanking", {"margin"}},
                        Plain{"CosineEmbeddingLoss", "CosineEmbedding", {"margin"}}})
    table[p.module] = [p](const TorchCase& c) {
      return loss_of(c, p.type, p.options, {{"input1", "inputs_1"}, {"input2", "inputs_2"}, {"target", "targets"}});
    };
  for (const auto& p : {Plain{"CrossEntropyLoss", "CrossEntropy", {"weight", "label_smoothing", "ignore_index"}},
                        Plain{"NLLLoss", "Nll", {"weight", "ignore_index"}},
                        Plain{"MultiMarginLoss", "MultiMargin", {"p", "margin", "weight"}}})
    table[p.module] = [p](const TorchCase& c) { return class_loss(c, p.type, p.options); };
  table["GaussianNLLLoss"] = [](const TorchCase& c) {
    return loss_of(c, "GaussianNll", {"full", "eps"},
                   {{"input", "default"}, {"target", "targets"}, {"var", "variance"}});
  };
  table["TripletMarginLoss"] = [](const TorchCase& c) {
    return loss_of(c, "TripletMargin", {"margin", "p", "eps", "swap"},
                   {{"anchor", "anchor"}, {"positive", "positive"}, {"negative", "negative"}});
  };
  table["CTCLoss"] = ctc;
}

}  // namespace squall::conformance
