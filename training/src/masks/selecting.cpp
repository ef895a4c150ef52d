#include "masks/selecting.hpp"

#include <algorithm>

#include "masks/capacity.hpp"
#include "masks/choose.hpp"
#include "masks/commit.hpp"

namespace squall::masks {

// Tasks in the order in which they choose, losses filled in.
std::vector<Task> in_order(std::span<const Task> tasks, const Rsn2Options& options, const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& t : tasks) names.push_back(t.name);
  const auto& order = options.order;
  const auto place = [&](const std::string& name) { return std::ranges::find(order, name) - order.begin(); };
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (place(order[i]) != static_cast<std::ptrdiff_t>(i))
      raise<ConfigError>("sparsify: order names task '", order[i], "' twice");
    if (options.mode == Rsn2Mode::Parallel && std::ranges::find(names, order[i]) == names.end())
      raise<ConfigError>("sparsify: order names '", order[i], "', which is no task", did_you_mean(order[i], names),
                         "; tasks are: ", join(names));
  }
  std::vector<Task> out(tasks.begin(), tasks.end());
  std::ranges::stable_sort(out, {}, [&](const Task& t) { return place(t.name); });
  for (auto& t : out)
    if (t.loss.empty()) complete_task(t, graph);
  return out;
}

void select(const Selecting& how, std::vector<Target>& targets, std::vector<std::string>& warnings) {
  const Rules& rules = how.rules;
  set_sparsities(how.network, targets, rules);
  if (!rules.literal) check_capacity(how.network, targets, rules);
  const Scores scores(how.network, targets, {*rules.score, how.tasks, how.data, rules.options.examples, how.seed});
  const auto chosen = rules.literal ? choose_literally(targets, scores, *rules.literal, warnings)
                                    : choose(how.network, targets, scores, how.tasks, rules, warnings);
  commit(how.network, targets, chosen, how.rescale && !rules.literal, how.memory);
  if (!how.pack || !rules.eligible->exclusive()) return;
  pack_masks(how.network);
  if (!rules.eligible->reads_earlier()) return;
  std::vector<std::string> order;
  for (const auto& task : how.tasks) order.push_back(task.name);
  read_earlier(how.network, order);
}

}  // namespace squall::masks
