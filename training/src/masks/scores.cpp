#include "masks/scores.hpp"

#include <cmath>

namespace squall::masks {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

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
      raise<ConfigError>("sparsify: scores by gradients need data for Input.", name, " of task '", task.name,
                         "', which the training batches do not have");
    SQUALL_CHECK(field->shape().rank() >= 2, "sparsify: data for Input.", name, " is ", field->shape(),
                 ", but should begin with time and batch");
    into.fields.emplace_back(name, first_examples(*field, limit));
    if (name == task.input || examples == 0) examples = into.fields.back().second.shape()[1];
  }
  return examples;
}

}  // namespace

Scores::Scores(Network& network, std::span<const Target> targets, std::span<const Task> tasks,
               const Rsn2Options& options, DataIterator* data, std::uint64_t seed)
    : network_(network), targets_(targets), score_(options.score), examples_(options.examples), seed_(seed) {
  if (score_ != Score::Gradients && score_ != Score::WeightGradient) return;
  if (data == nullptr) raise<ConfigError>("sparsify: scores by gradients need training data");
  if (examples_ < 1) raise<ConfigError>("sparsify: scores by gradients need at least 1 example, not ", examples_);
  if (!targets.empty()) sum_gradients(tasks, *data);
}

void Scores::sum_gradients(std::span<const Task> tasks, DataIterator& data) {
  auto& memory = network_.handler().memory();
  for (const auto& t : targets_) {
    sums_.emplace_back(memory, at(t.elements()) * size_of(network_.handler().dtype()));
    memory.zero(Tensor(sums_.back().data(), network_.handler().dtype(), Shape{t.elements()}));
  }
  const auto states = network_.get_states();
  const auto random_step = network_.random_step();
  std::vector<Index> seen(tasks.size(), 0);
  std::vector<std::vector<std::string>> needed;
  for (const auto& task : tasks) needed.push_back(needed_inputs({task.loss}, network_.graph()));
  Batch batch, part;
  data.restart(0);
  while (*std::ranges::min_element(seen) < examples_ && data.next(batch))
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      if (seen[t] >= examples_) continue;
      const Index count = take(batch, tasks[t], needed[t], examples_ - seen[t], part);
      seen[t] += count;
      network_.provide(part);
      network_.forward(network_.pass(Mode::Train, {tasks[t].loss}));
      network_.backward(false);
      add_gradients(t, static_cast<double>(count));  // a Loss is a mean over its batch
    }
  network_.set_states(states);
  network_.set_random_step(random_step);
}

void Scores::add_gradients(std::size_t task, double factor) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const Target& t = targets_[i];
    if (std::ranges::find(t.tasks, task) == t.tasks.end()) continue;
    const Tensor gradient = slice_of(network_.store().effective_gradient(t.node, t.slot), t.slice);
    const Tensor sum(sums_[i].data(), gradient.dtype(), gradient.shape());
    network_.handler().elementwise().affine(gradient, factor, 0, Sink(sum, Write::Add));
  }
}

std::vector<double> Scores::magnitudes(const Target& t) const {
  const auto& store = network_.store();
  const Tensor values = slice_of(store.storage(store.entry(t.node, t.slot)), t.slice);
  auto out = network_.handler().memory().to_host(values).doubles();
  for (double& v : out) v = std::fabs(v);
  return out;
}

std::vector<double> Scores::of(std::size_t i) const {
  const Target& t = targets_[i];
  if (score_ == Score::Magnitude) return magnitudes(t);
  std::vector<double> out(at(t.elements()));
  if (score_ == Score::Random) {
    Rng rng(seed_, t.stream);
    for (double& v : out) v = rng.uniform();
    return out;
  }
  const auto& handler = network_.handler();
  out = handler.memory().to_host(Tensor(sums_[i].data(), handler.dtype(), Shape{t.elements()})).doubles();
  for (double& v : out) v = std::fabs(v);
  if (score_ == Score::WeightGradient) {
    const auto weights = magnitudes(t);
    for (std::size_t k = 0; k < out.size(); ++k) out[k] *= weights[k];
  }
  for (const double v : out)
    if (!std::isfinite(v))
      raise<NumericError>("sparsify: gradients of ", t.name, " are not finite; look at the data and initial weights");
  return out;
}

}  // namespace squall::masks
