#include "score_board.hpp"

#include "json_number.hpp"

namespace squall {

namespace {

json sum_to_json(const ScoreSum& s) { return json::array({number_to_json(s.sum), number_to_json(s.weight)}); }

ScoreSum sum_from_json(const json& j) {
  if (!j.is_array() || j.size() != 2) raise<DataError>("a sum should be [sum, weight], not ", j.dump());
  return {number_from_json(j[0]), number_from_json(j[1])};
}

}  // namespace

ScoreBoard::ScoreBoard(Network& network, std::span<const Task> tasks) : network_(network) {
  const Graph& graph = network.graph();
  for (const auto& task : tasks) {
    losses_.push_back(loss_of(task.loss, task.input));
    Scored one{task, -1, -1, {}, {}};
    if (!task.scorers.empty()) {
      const auto dot = task.output.find('.');
      one.node = graph.find(task.output.substr(0, dot));
      one.slot = graph.node(one.node).find_output(task.output.substr(dot + 1));
    }
    for (const auto& scorer : task.scorers) one.scores.push_back({scorer, {}});
    tasks_.push_back(std::move(one));
  }
  const auto& inputs = graph.node(0).outputs;
  const std::string first = !tasks.empty() ? tasks[0].input : inputs.empty() ? std::string() : inputs[0].name;
  for (const auto& name : side_losses(tasks, graph)) losses_.push_back(loss_of(name, first));
}

ScoreBoard::Loss ScoreBoard::loss_of(const std::string& layer, const std::string& input) const {
  const Graph& graph = network_.graph();
  Loss loss{layer, graph.find(layer), 0, input, -1, {}};
  const auto& outputs = graph.node(loss.node).outputs;
  for (std::size_t o = 0; o < outputs.size(); ++o)
    if (outputs[o].loss) loss.slot = static_cast<int>(o);
  const int slot = graph.node(0).find_output(input);
  if (slot < 0) return loss;
  const BufferShape& shape = graph.node(0).outputs[static_cast<std::size_t>(slot)].shape;
  if (shape.scales_with_batch()) loss.batch_axis = shape.scales_with_time() ? 1 : 0;
  return loss;
}

void ScoreBoard::clear() {
  for (auto& loss : losses_) loss.sum = {};
  penalty_ = {};
  for (auto& one : tasks_)
    for (auto& score : one.scores) score.sum = {};
}

bool ScoreBoard::empty() const {
  for (const auto& loss : losses_)
    if (loss.sum.weight > 0) return false;
  return true;
}

double ScoreBoard::add_loss(Loss& loss, const Batch& batch, bool begins) {
  const Tensor& on_device = network_.binding().views(loss.node).outputs[static_cast<std::size_t>(loss.slot)];
  if (!on_device) return 0;                                            // not part of this pass
  const double value = visit_dtype(on_device.dtype(), [&](auto one) {  // as it is: conversions would allocate
    network_.handler().memory().download(on_device, Tensor(&one, on_device.dtype(), on_device.shape()));
    return static_cast<double>(one);
  });
  const HostArray* field = batch.find(loss.input);
  const auto size =
      field != nullptr && loss.batch_axis >= 0 ? static_cast<double>(field->shape()[loss.batch_axis]) : 1.0;
  loss.sum.sum += value * size;
  if (begins) loss.sum.weight += size;
  return value;
}

void ScoreBoard::add_scores(Scored& one, const Batch& batch) {
  const HostArray* targets = batch.find(one.task.targets);
  if (targets == nullptr)
    raise<DataError>("task '", one.task.name, "': the batch has no '", one.task.targets, "' to score against");
  const ConstTensor on_device = network_.output(one.node, one.slot);
  one.predicted.resize(on_device.dtype(), on_device.shape());
  network_.handler().memory().download(on_device, one.predicted.view());
  static const HostArray no_mask;
  const HostArray* mask = one.task.mask.empty() ? nullptr : batch.find(one.task.mask);
  for (auto& score : one.scores)
    score.scorer->add(one.predicted, *targets, mask != nullptr ? *mask : no_mask, score.sum);
}

double ScoreBoard::add(const Batch& batch, bool begins) {
  double total = 0;
  for (auto& loss : losses_) total += add_loss(loss, batch, begins);
  for (auto& one : tasks_)
    if (!one.scores.empty()) add_scores(one, batch);
  if (!network_.store().has_mask_penalty() || !network_.binding().training()) return total;
  const double penalty = network_.store().mask_penalty(network_.binding().plan());
  penalty_.sum += penalty;
  penalty_.weight += 1;
  return total + penalty;
}

std::vector<TaskScores> ScoreBoard::scores() const {
  std::vector<TaskScores> out;
  for (std::size_t t = 0; t < tasks_.size(); ++t) {
    TaskScores one{tasks_[t].task.name, {{"loss", losses_[t].sum.value()}}};
    for (const auto& score : tasks_[t].scores) one.values.emplace_back(score.scorer->score_name(), score.sum.value());
    out.push_back(std::move(one));
  }
  TaskScores side;
  for (std::size_t i = tasks_.size(); i < losses_.size(); ++i)
    side.values.emplace_back(losses_[i].name, losses_[i].sum.value());
  if (penalty_.weight > 0) side.values.emplace_back("l0_penalty", penalty_.value());
  if (!side.values.empty()) out.push_back(std::move(side));
  return out;
}

json ScoreBoard::save() const {
  json losses = json::array(), scores = json::array();
  for (const auto& loss : losses_) losses.push_back(sum_to_json(loss.sum));
  for (const auto& one : tasks_)
    for (const auto& score : one.scores) scores.push_back(sum_to_json(score.sum));
  json out = {{"losses", losses}, {"scores", scores}};
  if (penalty_.weight > 0) out["l0_penalty"] = sum_to_json(penalty_);
  return out;
}

void ScoreBoard::load(const json& j) {
  std::size_t scores = 0;
  for (const auto& one : tasks_) scores += one.scores.size();
  if (!j.is_object() || !j.contains("losses") || !j.contains("scores") || j["losses"].size() != losses_.size() ||
      j["scores"].size() != scores)
    raise<DataError>("the saved sums of an epoch do not belong to these tasks and scorers");
  for (std::size_t i = 0; i < losses_.size(); ++i) losses_[i].sum = sum_from_json(j["losses"][i]);
  std::size_t next = 0;
  for (auto& one : tasks_)
    for (auto& score : one.scores) score.sum = sum_from_json(j["scores"][next++]);
  if (j.contains("l0_penalty")) penalty_ = sum_from_json(j["l0_penalty"]);
}

}  // namespace squall
