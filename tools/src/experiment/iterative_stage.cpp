#include "squall/tools/iterative_stage.hpp"

#include <algorithm>

namespace squall {

namespace {

IterativeStage read(const StageOptions& stage, std::string_view where, Problems& problems) {
  IterativeStage out;
  read_fields(stage.iterative, where, out, problems);
  return out;
}

// A number or a list of them; empty: neither.
std::vector<double> numbers(const json& j) {
  double one = 0;
  if (!read_value(j, one)) return {one};
  std::vector<double> many;
  if (j.is_array() && !read_value(j, many)) return many;
  return {};
}

void check_numbers(const json& j, std::size_t tasks, double least, const std::string& where, Problems& problems) {
  const auto values = numbers(j);
  if (values.empty())
    problems.add(where, "should be a number or a list of them, not " + j.dump());
  else if (values.size() != 1 && values.size() != tasks)
    problems.add(where, concat("should be one number, or one for each of ", tasks, " tasks, not ", values.size()));
  else if (!std::ranges::all_of(values, [&](double v) { return v >= least && v <= 100; }))
    problems.add(where, least > 0 ? "should be above 0 and at most 100" : "should be a percentage, 0 to 100");
}

}  // namespace

void check_iterative(const StageOptions& stage, bool sparsifies, std::string_view where, const Catalog& catalog,
                     Problems& problems) {
  const std::string here = std::string(where) + ".iterative";
  const IterativeStage o = read(stage, here, problems);
  check_numbers(o.starting_pruning, stage.tasks.size(), 0, here + ".starting_pruning", problems);
  check_numbers(o.pruning_rate, stage.tasks.size(), 1e-9, here + ".pruning_rate", problems);
  if (!(o.max_pruning >= 0 && o.max_pruning <= 100))
    problems.add(here + ".max_pruning", concat("should be a percentage, 0 to 100, not ", o.max_pruning));
  if (!(o.delta >= 0)) problems.add(here + ".delta", "should not be negative");
  if (o.patience < 1) problems.add(here + ".patience", "should be at least 1");
  if (!o.compat.empty() && o.compat != "beyondml")
    problems.add(here + ".compat", concat("should be \"beyondml\" or left out, not \"", o.compat, "\""));
  make_part<WeightScore>(o.score, here + ".score", catalog, problems);
  if (stage.max_epochs < 1) problems.add(std::string(where) + ".max_epochs", "should be at least 1: of each fit");
  if (sparsifies) problems.add("sparsify", "a stage with 'iterative' chooses the masks itself; leave sparsify out");
  if (!stage.hooks.empty())
    problems.add(std::string(where) + ".hooks", "a stage with 'iterative' stops by itself and runs no hooks");
  if (stage.truncate > 0 || !stage.frozen.empty())
    problems.add(std::string(where), "'iterative' goes with neither 'truncate' nor 'frozen'");
}

IterativeOptions iterative_options(const StageOptions& stage) {
  Problems problems;
  const IterativeStage o = read(stage, "iterative", problems);
  problems.raise_if_any("the stage cannot be run");
  IterativeOptions out;
  out.stepper = stage.stepper;
  out.starting_pruning = numbers(o.starting_pruning);
  out.pruning_rate = numbers(o.pruning_rate);
  out.max_epochs = {stage.max_epochs};
  out.max_pruning = o.max_pruning;
  out.delta = o.delta;
  out.patience = o.patience;
  out.score = o.score;
  out.quota = o.quota;
  out.compat = o.compat;
  return out;
}

}  // namespace squall
