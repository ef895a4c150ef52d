#include "squall/training/mask_report.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

#include "masks/report.hpp"

namespace squall {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index count(std::span<const std::uint8_t> bytes) {
  return static_cast<Index>(bytes.size()) - std::ranges::count(bytes, std::uint8_t{0});
}

// Names of the tasks whose losses reach a tensor that has no slices.
class TaskNames {
 public:
  TaskNames(const Graph& graph, std::span<const Task> tasks) {
    for (const int l : graph.losses()) {
      PassRequest request;
      request.mode = Mode::Train;
      request.heads = {graph.node(l).name};
      plans_.push_back(plan_pass(graph, request));
      names_.push_back(name_of(graph, l, tasks));
    }
  }
  std::vector<std::string> of(int node) const {
    std::vector<std::string> out;
    for (std::size_t l = 0; l < plans_.size(); ++l)
      if (plans_[l].nodes[at(node)].backward)
        if (std::ranges::find(out, names_[l]) == out.end()) out.push_back(names_[l]);
    return out;
  }

 private:
  // The task with this loss; or the one task whose slices the loss reaches; or the loss itself.
  std::string name_of(const Graph& graph, int loss, std::span<const Task> tasks) const {
    for (const auto& task : tasks)
      if (task.loss == graph.node(loss).name) return task.name;
    std::set<std::string> names;
    for (int n = 1; n < graph.size(); ++n)
      for (std::size_t t = 0; t < graph.node(n).tasks.size(); ++t)
        if (plans_.back().nodes[at(n)].has_delta[t]) names.insert(graph.node(n).tasks[t]);
    if (names.size() == 1) return *names.begin();
    return graph.losses().size() == 1 ? "default" : graph.node(loss).name;
  }

  std::vector<PassPlan> plans_;
  std::vector<std::string> names_;
};

Index dead_rows(std::span<const std::uint8_t> keep, const Shape& shape) {
  if (shape.rank() < 2) return 0;
  const auto columns = keep.size() / at(std::max<Index>(1, shape[0]));
  Index dead = 0;
  for (Index r = 0; r < shape[0]; ++r) dead += count(keep.subspan(at(r) * columns, columns)) == 0 ? 1 : 0;
  return dead;
}

using Slices = std::vector<std::span<const std::uint8_t>>;

// Owners of each weight: everybody once for a tensor without slices.
void count_owners(const Slices& slices, const std::vector<char>& chosen, TensorMaskReport& report) {
  std::vector<int> owners(at(report.elements), 0);
  for (std::size_t t = 0; t < slices.size(); ++t)
    for (std::size_t i = 0; i < owners.size() && chosen[t]; ++i) owners[i] += slices[t][i] != 0 ? 1 : 0;
  report.free = std::ranges::count(owners, 0);
  report.owned_twice = std::ranges::count_if(owners, [](int n) { return n > 1; });
}

void count_overlaps(const Slices& slices, const std::vector<char>& chosen, TensorMaskReport& report) {
  const std::size_t tasks = slices.size();
  report.overlap.assign(tasks, std::vector<Index>(tasks, 0));
  for (std::size_t a = 0; a < tasks; ++a)
    for (std::size_t b = 0; b < tasks; ++b) {
      if (a != b && !(chosen[a] && chosen[b])) continue;
      for (std::size_t i = 0; i < slices[a].size(); ++i)
        report.overlap[a][b] += slices[a][i] != 0 && slices[b][i] != 0 ? 1 : 0;
    }
}

using Waiting = std::span<const std::pair<masks::ParameterKey, int>>;

// Names of tasks with a slice that owns nothing yet, and of those with one that does.
struct Owners {
  std::set<std::string> waiting, chosen;
};

// Of logical shape: `mask` without what tasks only read.
HostArray owned_mask(const ParameterEntry& e, const HostArray& mask) {
  if (e.read.empty() || e.form == ParameterForm::Stored) return mask;
  if (e.form != ParameterForm::Packed) return e.mask;
  HostArray out(DType::U8, e.info->shape);
  const auto owners = e.mask.span<std::uint8_t>();
  for (std::size_t i = 0; i < owners.size(); ++i)
    if (owners[i] != kFreeWeight) out.span<std::uint8_t>()[owners[i] * owners.size() + i] = 1;
  return out;
}

// Without `waiting`, the slices that keep everything wait, whatever the form.
TensorMaskReport report_tensor(const Network& network, const ParameterEntry& e, const TaskNames& names,
                               const Waiting* waiting, Owners& owners) {
  const Node& node = network.graph().node(e.node);
  TensorMaskReport report;
  report.parameter = node.name + "." + e.info->name;
  report.sliced = e.info->task_axis;
  report.elements = e.slice_shape().elements();
  const HostArray mask = *network.store().mask(e);
  const HostArray own = owned_mask(e, mask);
  Slices slices, owned;
  std::vector<char> chosen;
  for (int t = 0; t < e.tasks(); ++t) {
    slices.push_back(mask.span<std::uint8_t>().subspan(at(t) * at(report.elements), at(report.elements)));
    owned.push_back(own.span<std::uint8_t>().subspan(at(t) * at(report.elements), at(report.elements)));
    const std::pair<masks::ParameterKey, int> slice{{e.node, e.slot}, t};
    const bool whole = e.tasks() > 1 && count(owned.back()) == report.elements;
    chosen.push_back(waiting != nullptr ? std::ranges::find(*waiting, slice) == waiting->end() : !whole);
    if (!report.sliced) continue;
    report.tasks.push_back(at(t) < node.tasks.size() ? node.tasks[at(t)] : std::to_string(t));
    (chosen.back() ? owners.chosen : owners.waiting).insert(report.tasks.back());
  }
  if (!report.sliced) report.tasks = names.of(e.node);
  count_owners(owned, chosen, report);
  for (std::size_t t = slices.size(); t < report.tasks.size(); ++t) {  // one mask for several tasks
    slices.push_back(slices[0]);
    owned.push_back(owned[0]);
    chosen.push_back(chosen[0]);
  }
  slices.resize(report.tasks.size());
  for (std::size_t t = 0; t < slices.size(); ++t) report.owned.push_back(count(owned[t]));
  for (const auto& slice : slices) {
    report.kept.push_back(count(slice));
    report.dead_units.push_back(e.info->bias ? 0 : dead_rows(slice, e.slice_shape()));
  }
  count_overlaps(slices, chosen, report);
  return report;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

using Row = std::vector<std::string>;

std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> width;
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()), 0);
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string gap(width[c] - row[c].size(), ' ');
      line += c == 0 ? row[c] + gap : "  " + gap + row[c];
    }
    out += line + "\n";
  }
  return out;
}

Row row_of(const TensorMaskReport& tensor, const std::vector<std::string>& tasks) {
  Row row{tensor.parameter, std::to_string(tensor.elements)};
  for (const auto& task : tasks) {
    const auto found = std::ranges::find(tensor.tasks, task);
    const auto t = static_cast<std::size_t>(found - tensor.tasks.begin());
    if (found == tensor.tasks.end()) {
      row.emplace_back("-");
      continue;
    }
    const double share = static_cast<double>(tensor.kept[t]) / static_cast<double>(std::max<Index>(1, tensor.elements));
    const std::string dead = tensor.dead_units[t] > 0 ? concat(", ", tensor.dead_units[t], " dead units") : "";
    row.push_back(concat(tensor.kept[t], " (", percent(share), dead, ")"));
  }
  row.push_back(std::to_string(tensor.free));
  row.push_back(tensor.sliced ? std::to_string(tensor.owned_twice) : "-");
  return row;
}

json tensor_json(const TensorMaskReport& tensor) {
  json j;
  j["parameter"] = tensor.parameter;
  j["elements"] = tensor.elements;
  j["free"] = tensor.free;
  j["sliced"] = tensor.sliced;
  j["owned_twice"] = tensor.sliced ? tensor.owned_twice : 0;
  j["tasks"] = json::object();
  for (std::size_t t = 0; t < tensor.tasks.size(); ++t) {
    const double share = static_cast<double>(tensor.kept[t]) / static_cast<double>(std::max<Index>(1, tensor.elements));
    j["tasks"][tensor.tasks[t]] = {
        {"kept", tensor.kept[t]}, {"owned", tensor.owned[t]}, {"density", share}, {"dead_units", tensor.dead_units[t]}};
  }
  j["overlap"] = tensor.overlap;
  return j;
}

}  // namespace

Index MaskReport::overlap() const {
  Index sum = 0;
  for (const auto& tensor : tensors) sum += tensor.sliced ? tensor.owned_twice : 0;
  return sum;
}

double MaskReport::density(std::string_view task) const {
  Index kept = 0, elements = 0;
  for (const auto& tensor : tensors)
    for (std::size_t t = 0; t < tensor.tasks.size(); ++t) {
      if (tensor.tasks[t] != task) continue;
      kept += tensor.kept[t];
      elements += tensor.elements;
    }
  return elements > 0 ? static_cast<double>(kept) / static_cast<double>(elements) : 1;
}

std::vector<std::string> MaskReport::tasks() const {
  std::vector<std::string> out;
  for (const auto& tensor : tensors)
    for (const auto& task : tensor.tasks)
      if (std::ranges::find(out, task) == out.end()) out.push_back(task);
  return out;
}

json MaskReport::to_json() const {
  json j;
  j["overlap"] = overlap();
  j["density"] = json::object();
  for (const auto& task : tasks()) j["density"][task] = density(task);
  j["tensors"] = json::array();
  for (const auto& tensor : tensors) j["tensors"].push_back(tensor_json(tensor));
  j["warnings"] = warnings;
  return j;
}

std::string MaskReport::text() const {
  if (tensors.empty()) return "no masks\n";
  const auto names = tasks();
  std::vector<Row> rows{{"parameter", "weights"}};
  rows[0].insert(rows[0].end(), names.begin(), names.end());
  rows[0].insert(rows[0].end(), {"free", "owned twice"});
  for (const auto& tensor : tensors) rows.push_back(row_of(tensor, names));
  Row total{"density", ""};
  for (const auto& task : names) total.push_back(percent(density(task)));
  total.insert(total.end(), {"", std::to_string(overlap())});
  rows.push_back(std::move(total));
  std::string out = table(rows);
  for (const auto& warning : warnings) out += "note: " + warning + "\n";
  return out;
}

namespace {

MaskReport make_report(const Network& network, std::span<const Task> tasks, const Waiting* waiting) {
  MaskReport report;
  const TaskNames names(network.graph(), tasks);
  Owners owners;
  for (const auto& e : network.store().entries())
    if (e.form != ParameterForm::Plain) report.tensors.push_back(report_tensor(network, e, names, waiting, owners));
  for (const auto& name : owners.waiting)
    if (!owners.chosen.contains(name))
      report.warnings.push_back(concat("task '", name, "' has no masks yet and owns nothing"));
  return report;
}

}  // namespace

MaskReport masks::report(const Network& network, std::span<const Task> tasks, Waiting waiting) {
  return make_report(network, tasks, &waiting);
}

MaskReport report_masks(const Network& network, std::span<const Task> tasks) {
  return make_report(network, tasks, nullptr);
}

}  // namespace squall
