// Tasks that learn the same thing: their probabilities together.
#include <algorithm>

#include "squall/tools/run.hpp"

namespace squall {

namespace {

// Whether all tasks learn from one data set, by classes, and each has an output.
bool is_ensemble(const ExperimentData::Tasks& options, std::span<const Task> tasks) {
  if (tasks.size() < 2 || options.empty()) return false;
  const bool same =
      std::ranges::all_of(options, [&](const auto& o) { return o.second.data == options.front().second.data; });
  return same && std::ranges::none_of(tasks, [](const Task& t) { return t.output.empty(); });
}

// Adds what one member gives for the next batch; false: there is none.
class Member {
 public:
  Member(Network& network, const Task& task, std::unique_ptr<DataIterator> data)
      : network_(network), task_(task), data_(std::move(data)), pass_(network.pass(Mode::Eval, {task.output})) {
    const auto dot = task.output.find('.');
    node_ = network.graph().find(task.output.substr(0, dot));
    slot_ = network.graph().node(node_).find_output(task.output.substr(dot + 1));
    data_->restart(0);
  }
  bool next() { return data_->next(batch_); }
  HostArray outputs() {
    network_.provide(batch_);
    network_.forward(pass_);
    return network_.handler().memory().to_host(network_.output(node_, slot_));
  }
  const HostArray& targets() const { return *batch_.find(task_.targets); }

 private:
  Network& network_;
  const Task& task_;
  std::unique_ptr<DataIterator> data_;
  PassId pass_;
  Batch batch_;
  int node_ = -1, slot_ = -1;
};

Index count_right(const std::vector<double>& sum, const HostArray& targets, Index classes) {
  Index right = 0;
  for (Index i = 0; i < targets.elements(); ++i) {
    const auto row = sum.begin() + static_cast<std::ptrdiff_t>(i * classes);
    const auto best = std::max_element(row, row + static_cast<std::ptrdiff_t>(classes)) - row;
    right += best == static_cast<std::ptrdiff_t>(targets.value(i)) ? 1 : 0;
  }
  return right;
}

}  // namespace

json score_ensemble(Network& network, ExperimentData& data, const ExperimentData::Tasks& options,
                    std::span<const Task> tasks, std::string_view split) {
  if (!is_ensemble(options, tasks)) return nullptr;
  std::vector<Member> members;
  for (const auto& task : tasks) {
    auto iterator = data.scoring(task.name, split);
    if (!iterator) return nullptr;
    members.emplace_back(network, task, std::move(iterator));
  }
  Index right = 0, examples = 0;
  for (bool more = true; more;) {
    std::vector<double> sum;
    for (auto& member : members) {
      if (more = member.next(); !more) break;
      const HostArray out = member.outputs();
      if (out.elements() <= member.targets().elements()) return nullptr;  // values, not classes
      sum.resize(static_cast<std::size_t>(out.elements()), 0);
      for (Index i = 0; i < out.elements(); ++i) sum[static_cast<std::size_t>(i)] += out.value(i);
    }
    if (!more) break;
    const HostArray& targets = members.front().targets();
    right += count_right(sum, targets, static_cast<Index>(sum.size()) / targets.elements());
    examples += targets.elements();
  }
  if (examples == 0) return nullptr;
  return {{"accuracy", static_cast<double>(right) / static_cast<double>(examples)}, {"members", tasks.size()}};
}

}  // namespace squall
