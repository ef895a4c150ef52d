// What Rsn2 does, step by step: targets, scores, choice, commit, report.
#include "squall/training/rsn2.hpp"

#include <algorithm>
#include <cmath>

#include "masks/capacity.hpp"
#include "masks/choose.hpp"
#include "masks/report.hpp"
#include "squall/core/activation.hpp"

namespace squall {

namespace {

using masks::Target;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

constexpr EnumName<Score> kScores[] = {{"gradients", Score::Gradients},
                                       {"magnitude", Score::Magnitude},
                                       {"random", Score::Random},
                                       {"weight_gradient", Score::WeightGradient}};
constexpr EnumName<Rsn2Mode> kModes[] = {{"parallel", Rsn2Mode::Parallel}, {"sequential", Rsn2Mode::Sequential}};

bool is_time(const json& when) {
  if (when == "start") return true;
  if (!when.is_object() || when.size() != 1 || !when.contains("after_epochs")) return false;
  return when["after_epochs"].is_number_integer() && when["after_epochs"].get<Index>() >= 0;
}

void check_options(const Rsn2Options& o) {
  if (!(o.sparsity >= 0 && o.sparsity <= 100))
    raise<ConfigError>("sparsify: sparsity is the percentage that is pruned, 0 to 100, not ", o.sparsity);
  if (!is_time(o.when))
    raise<ConfigError>("sparsify: when should be \"start\" or {\"after_epochs\": N}, not ", o.when.dump());
  if (o.compat.empty()) return;
  if (o.compat != "beyondml")
    raise<ConfigError>("sparsify: compat should be \"beyondml\" or left out, not \"", o.compat, "\"");
  if (o.score != Score::Gradients && o.score != Score::Magnitude)
    raise<ConfigError>("sparsify: the original knows the scores gradients and magnitude only");
  if (o.mode != Rsn2Mode::Parallel)
    raise<ConfigError>("sparsify: the original's selection masks all tasks at once; its mode is parallel");
}

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

// Variance of weights that keeps the size of activations, times their number.
double gain_of(const Network& network, const Node& node) {
  const json description = node.layer->describe();
  std::string name;
  if (description.contains("activation")) {
    name = description["activation"].is_string() ? description["activation"].get<std::string>() : "";
  } else {
    for (const auto& option : network.catalog().of<Layer>().doc(node.layer->type()).options)
      if (option.name == "activation") name = json::parse(option.default_value).get<std::string>();
  }
  Activation activation = Activation::Linear;
  read_value(json(name), activation);
  return activation == Activation::Rel ? 2 : 1;
}

// Scales the kept weights of a target to the standard deviation sqrt(gain / kept per unit).
template <class T>
void scale_kept(std::span<T> weights, const MaskBytes& keep, double rows, double gain) {
  double squares = 0, kept = 0;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] == 0) continue;
    squares += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
    ++kept;
  }
  if (squares <= 0) return;
  const double factor = std::sqrt(gain * rows / kept) / std::sqrt(squares / kept);
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] != 0) weights[i] = static_cast<T>(static_cast<double>(weights[i]) * factor);
}

void rescale(const Network& network, const Target& t, const MaskBytes& keep, HostArray& values) {
  const auto first = t.slice < 0 ? 0 : at(t.slice * t.elements());
  const double gain = gain_of(network, network.graph().node(t.node));
  visit_dtype(values.dtype(), [&](auto zero) {
    scale_kept(values.span<decltype(zero)>().subspan(first, keep.size()), keep, static_cast<double>(t.rows), gain);
  });
}

ParameterEntry& entry_of(Network& network, const masks::ParameterKey& key) {
  const Node& node = network.graph().node(key.first);
  return *network.store().find(node.name, node.parameters[at(key.second)].name);
}

void commit(Network& network, std::span<const Target> targets, std::span<const MaskBytes> chosen, bool rescales) {
  std::map<masks::ParameterKey, std::vector<std::size_t>> tensors;
  for (std::size_t i = 0; i < targets.size(); ++i) tensors[key_of(targets[i])].push_back(i);
  auto& store = network.store();
  for (const auto& [key, members] : tensors) {
    ParameterEntry& e = entry_of(network, key);
    HostArray keep(DType::U8, e.info->shape);
    if (e.form == ParameterForm::Masked)
      keep = e.mask;
    else
      std::ranges::fill(keep.span<std::uint8_t>(), std::uint8_t{1});
    HostArray values = store.get(e);
    for (const std::size_t i : members) {
      const Target& t = targets[i];
      const auto first = t.slice < 0 ? 0 : at(t.slice) * chosen[i].size();
      std::ranges::copy(chosen[i], keep.span<std::uint8_t>().begin() + static_cast<std::ptrdiff_t>(first));
      if (rescales && !t.bias) rescale(network, t, chosen[i], values);
    }
    store.set_mask(e, keep);
    if (rescales) store.set(e, values);
  }
}

bool disjoint(const ParameterEntry& e) {
  MaskBytes owned(at(e.slice_shape().elements()), 0);
  for (int t = 0; t < e.tasks(); ++t) {
    if (!masks::is_chosen(e, t)) return false;
    const auto keep = e.mask.span<std::uint8_t>().subspan(at(t) * owned.size(), owned.size());
    for (std::size_t i = 0; i < owned.size(); ++i)
      if ((owned[i] = static_cast<std::uint8_t>(owned[i] + keep[i])) > 1) return false;
  }
  return true;
}

void pack_disjoint(Network& network) {
  std::vector<ParameterEntry*> chosen;
  for (const auto& e : network.store().entries()) {
    if (e.form != ParameterForm::Masked || !e.info->task_axis || e.info->bias) continue;
    if (e.tasks() > 1 && e.tasks() <= kMaxTasks && disjoint(e)) chosen.push_back(&entry_of(network, {e.node, e.slot}));
  }
  if (!chosen.empty()) network.store().pack(chosen);
}

}  // namespace

std::span<const EnumName<Score>> enum_names(Score) { return kScores; }
std::span<const EnumName<Rsn2Mode>> enum_names(Rsn2Mode) { return kModes; }

MaskReport Rsn2::apply(Network& network, std::span<const Task> tasks, DataIterator* data, std::uint64_t seed) const {
  check_options(options);
  network.store().spread_all();
  const bool literal = !options.compat.empty();
  const auto ordered = in_order(tasks, options, network.graph());
  std::vector<std::string> warnings;
  const auto targets = masks::find_targets(network, ordered, options.biases || literal, warnings);
  if (!literal) masks::check_capacity(network, targets, options);
  const masks::Scores scores(network, targets, ordered, options, data, seed);
  const auto chosen = literal ? masks::choose_literally(targets, scores, options, warnings)
                              : masks::choose(network, targets, scores, ordered, options, warnings);
  commit(network, targets, chosen, options.rescale && !literal);
  if (options.exclusive) pack_disjoint(network);
  if (options.mode == Rsn2Mode::Sequential)
    for (const auto& task : ordered) masks::warn_of_shared(network, task, warnings);
  MaskReport report = masks::report(network, ordered, masks::waiting_slices(network, targets));
  report.warnings.insert(report.warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

}  // namespace squall
