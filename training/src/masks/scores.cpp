#include "masks/scores.hpp"

#include <algorithm>
#include <cmath>

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
std::size_t at(int i) { return static_cast<std::size_t>(i); }

Tensor slice_of(const Tensor& x, int slice) { return slice < 0 ? x : x.at(slice); }

// The first `count` examples of (T, B, ...).
HostArray first_examples(const HostArray& x, Index count) {
  const Index batch = x.shape()[1];
  if (batch <= count) return x;
  const Shape rest = x.shape().from(2);
  HostArray out(x.dtype(), Shape{x.shape()[0], count}.joined(rest));
  const std::size_t row = at(rest.elements()) * size_of(x.dtype());
  for (Index t = 0; t < x.shape()[0]; ++t)
    std::memcpy(static_cast<char*>(out.data()) + at(t * count) * row,
                static_cast<const char*>(x.data()) + at(t * batch) * row, at(count) * row);
  return out;
}

// What the pass of one task needs of a batch, at most `limit` examples of it; gives how many there are.
Index take(const Batch& from, const Task& task, const std::vector<std::string>& needed, Index limit, Batch& into) {
  into.fields.clear();
  Index examples = 0;
  for (const auto& name : needed) {
    const HostArray* field = from.find(name);
    if (field == nullptr)
      raise<ConfigError>("sparsify: the score needs data for Input.", name, " of task '", task.name,
                         "', which the training batches do not have");
    SQUALL_CHECK(field->shape().rank() >= 2, "sparsify: data for Input.", name, " is ", field->shape(),
                 ", but should begin with time and batch");
    into.fields.emplace_back(name, first_examples(*field, limit));
    if (name == task.input || examples == 0) examples = into.fields.back().second.shape()[1];
  }
  return examples;
}

// Where the input of a weight comes from: that of the output its slice belongs to.
Source input_of(const Network& network, const Target& t) {
  const Node& node = network.graph().node(t.node);
  const auto& depends = node.outputs[at(std::max(t.slice, 0))].depends;
  const Source source = depends.empty() ? Source() : node.inputs[at(depends.front())].source;
  if (source.kind != Source::Kind::Output)
    raise<ConfigError>("sparsify: ", t.name, " has no input whose activations could be measured; use another score");
  return source;
}

// How many features of its input a row of weights covers: all of them, or the channels of a kernel.
Index features_of(const Network& network, const Target& t) {
  const Source source = input_of(network, t);
  const Shape shape = network.graph().node(source.node).outputs[at(source.slot)].shape.features;
  const Index all = shape.elements(), channels = shape.rank() > 0 ? shape[-1] : 1;
  if (t.bias || t.columns == all) return all;
  if (t.columns % channels != 0)
    raise<ConfigError>("sparsify: ", t.name, " has ", t.columns, " weights per unit, but its input ", all,
                       " features; activation norms are known for dense layers and convolutions");
  return channels;
}

void pin_input(Network& network, const Target& t) {
  const Source source = input_of(network, t);
  features_of(network, t);
  const Node& node = network.graph().node(source.node);
  if (source.node != 0) network.pin(node.name + "." + node.outputs[at(source.slot)].name);
}

}  // namespace

Scores::Scores(Network& network, std::span<const Target> targets, const ScoreRun& run)
    : network_(network), targets_(targets), run_(run) {
  if (run.score.gathers() == Gathered::Nothing) return;
  if (run.data == nullptr)
    raise<ConfigError>("sparsify: the score ", run.score.type(), " needs training data, and there is none");
  if (run.examples < 1)
    raise<ConfigError>("sparsify: the score ", run.score.type(), " needs at least 1 example, not ", run.examples);
  if (targets.empty()) return;
  make_sums();
  gather(*run.data);
}

Tensor Scores::gradients(std::size_t i) const {
  return {gradients_[i].data(), network_.handler().dtype(), Shape{targets_[i].elements()}};
}

void Scores::make_sums() {
  auto& memory = network_.handler().memory();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& t = targets_[i];
    if (wants_inputs()) {
      inputs_.emplace_back(at(t.columns), 0.0);
      if (!t.bias) pin_input(network_, t);
      continue;
    }
    gradients_.emplace_back(memory, at(t.elements()) * size_of(network_.handler().dtype()));
    memory.zero(gradients(i));
  }
}

void Scores::gather(DataIterator& data) {
  const auto states = network_.get_states();
  const auto random_step = network_.random_step();
  std::vector<Index> seen(run_.tasks.size(), 0);
  std::vector<std::vector<std::string>> needed;
  for (const auto& task : run_.tasks) needed.push_back(needed_inputs({task.loss}, network_.graph()));
  Batch batch, part;
  data.restart(0);
  while (!seen.empty() && *std::ranges::min_element(seen) < run_.examples && data.next(batch))
    for (std::size_t t = 0; t < seen.size(); ++t) {
      if (seen[t] >= run_.examples) continue;
      const Index count = take(batch, run_.tasks[t], needed[t], run_.examples - seen[t], part);
      seen[t] += count;
      network_.provide(part);
      run_pass(t, static_cast<double>(count));
    }
  network_.set_states(states);
  network_.set_random_step(random_step);
}

void Scores::run_pass(std::size_t task, double examples) {
  network_.forward(network_.pass(Mode::Train, {run_.tasks[task].loss}));
  if (wants_inputs()) return add_inputs(task);
  network_.backward(false);
  add_gradients(task, examples);
}

// A Loss is a mean over its batch; its gradients are summed over examples.
void Scores::add_gradients(std::size_t task, double examples) {
  const Gathered how = run_.score.gathers();
  auto& ops = network_.handler().elementwise();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& t = targets_[i];
    if (std::ranges::find(t.tasks, task) == t.tasks.end()) continue;
    const Tensor gradient = flatten(slice_of(network_.store().effective_gradient(t.node, t.slot), t.slice), 0);
    if (how == Gathered::AbsoluteGradients) ops.unary(Unary::Abs, gradient, gradient);
    if (how == Gathered::SquaredGradients) ops.unary(Unary::Square, gradient, gradient);
    ops.affine(gradient, how == Gathered::SquaredGradients ? examples * examples : examples, 0,
               Sink(gradients(i), Write::Add));
  }
}

// Columns of a weight are the features of its input, again and again where a kernel has several places.
void Scores::add_inputs(std::size_t task) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& t = targets_[i];
    if (t.bias || std::ranges::find(t.tasks, task) == t.tasks.end()) continue;
    const Source source = input_of(network_, t);
    const HostArray x = network_.handler().memory().to_host(network_.output(source.node, source.slot));
    const Index features = features_of(network_, t);
    for (Index k = 0; k < x.elements(); ++k) inputs_[i][at(k % features)] += x.value(k) * x.value(k);
    for (Index k = features; k < t.columns; ++k) inputs_[i][at(k)] = inputs_[i][at(k % features)];
  }
}

std::vector<double> Scores::of(std::size_t i) const {
  const Target& t = targets_[i];
  const auto& store = network_.store();
  const Tensor values = slice_of(store.storage(store.entry(t.node, t.slot)), t.slice);
  const auto weights = network_.handler().memory().to_host(values).doubles();
  ScoreInput in{weights, {}, t.rows, t.columns, run_.seed, t.stream};
  std::vector<double> gathered;
  if (!gradients_.empty()) gathered = network_.handler().memory().to_host(gradients(i)).doubles();
  if (!inputs_.empty()) gathered = inputs_[i];
  in.gathered = gathered;
  std::vector<double> out = run_.score.of(in);
  const ParameterEntry& e = store.entry(t.node, t.slot);
  if (e.form == ParameterForm::Masked) {  // what is masked has no score, whatever it is
    const auto keep = e.mask.span<std::uint8_t>().subspan(t.slice < 0 ? 0 : at(t.slice) * out.size(), out.size());
    for (std::size_t k = 0; k < out.size(); ++k)
      if (keep[k] == 0) out[k] = 0;
  }
  for (const double v : out)
    if (!std::isfinite(v))
      raise<NumericError>("sparsify: ", run_.score.type(), " of ", t.name,
                          " is not finite; look at the data and the weights");
  return out;
}

}  // namespace squall::masks
