#include "bench/packed_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/timing.hpp"
#include "squall/tools/saved_model.hpp"

namespace squall::bench {

namespace {

constexpr double kAgrees = 1e-4;

struct Measured {
  const BenchContext& context;
  const std::vector<Index>& batches;
  std::vector<PackedRow> rows;

  void add(const std::string& what, const std::string& form, Network& dense, Network& packed,
           const std::vector<std::string>& heads, const std::vector<std::string>& outputs) {
    for (const Index batch : batches) {
      Rounds rounds;
      rounds.add(runs_of({&dense, &packed}, heads, batch), context.rounds);
      PackedRow row;
      row.name = fmt::format("packed_{}_b{}", what == "network" ? "model" : what, batch);
      row.threads = context.threads;
      row.peer = "squall dense";
      row.peer_us = rounds.median_us(0);
      row.ours_us = row.peer_us / rounds.ratio(1);  // of the rounds' ratio, which is steadier than two medians
      row.spread = rounds.spread(1);
      row.checked = compare_networks(dense, packed, outputs, batch) < kAgrees;
      row.what = what;
      row.form = form;
      row.batch = batch;
      rows.push_back(std::move(row));
    }
  }
};

// What the layer alone gives: all outputs of all layers but Input.
std::vector<std::string> outputs_of(const Network& net) {
  std::vector<std::string> out;
  for (const Node& node : net.graph().nodes())
    for (const auto& o : node.outputs)
      if (&node != &net.graph().node(0)) out.push_back(node.name + "." + o.name);
  return out;
}

void add_layers(const Network& network, Measured& measured) {
  for (const auto& e : network.store().entries()) {
    if (e.form != ParameterForm::Stored || e.slice_shape().rank() < 2) continue;
    const Node& node = network.graph().node(e.node);
    for (std::size_t t = 0; t < e.packed.size(); ++t) {
      const LayerAlone alone(network, e, static_cast<int>(t));
      const auto dense = alone.dense(), packed = alone.packed(e.packed[t], e.packed[t].format);
      const std::string what =
          node.name + (e.info->name == "W" ? "" : "." + e.info->name) + (e.info->task_axis ? "." + node.tasks[t] : "");
      measured.add(what, fmt::format("{:.3g} % {}", 100 * e.packed[t].density(), name_of(e.packed[t].format)), *dense,
                   *packed, {}, outputs_of(*dense));
    }
  }
}

}  // namespace

std::vector<PackedRow> packed_rows(const BenchContext& context, const std::filesystem::path& model,
                                   const std::vector<Index>& batches) {
  SavedModel saved(model, context.catalog, context.handler);
  Network& packed = saved.network();
  const auto stored = [](const auto& e) { return e.form == ParameterForm::Stored; };
  if (!std::ranges::any_of(packed.store().entries(), stored))
    raise<ConfigError>(model.string(), ": is not a packed model; make one with 'squall convert --to sparse'");
  Measured measured{context, batches, {}};
  add_layers(packed, measured);
  const auto dense = dense_copy(packed);
  std::vector<std::string> heads;
  for (const auto& task : saved.tasks()) {
    if (task.output.empty()) continue;
    heads.push_back(task.output);
    if (saved.task_list().size() > 1)
      measured.add("task " + task.name, "", *dense, packed, {task.output}, {task.output});
  }
  measured.add("network", "", *dense, packed, heads, heads);
  return std::move(measured.rows);
}

std::string packed_table(const std::vector<PackedRow>& rows) {
  std::vector<Index> batches;
  std::vector<std::pair<std::string, int>> lines;
  for (const auto& r : rows) {
    if (std::ranges::find(batches, r.batch) == batches.end()) batches.push_back(r.batch);
    if (std::ranges::find(lines, std::pair(r.what, r.threads)) == lines.end()) lines.emplace_back(r.what, r.threads);
  }
  std::string out = "| what | form | threads |";
  for (const Index b : batches) out += fmt::format(" batch {} |", b);
  out += "\n|---|---|---|";
  for (std::size_t b = 0; b < batches.size(); ++b) out += "---|";
  for (const auto& [what, threads] : lines) {
    std::string form, cells;
    for (const auto& r : rows) {
      if (r.what != what || r.threads != threads) continue;
      form = r.form;
      cells += fmt::format(" {:.2f}x ({:.1f} us){} |", r.ratio(), r.ours_us, r.checked ? "" : " WRONG");
    }
    out += fmt::format("\n| {} | {} | {} |{}", what, form, threads, cells);
  }
  const auto slowest = std::ranges::min_element(rows, {}, &PackedRow::ratio);
  if (slowest != rows.end())
    out += fmt::format(
        "\n\nTimes faster than dense (and microseconds of the packed form); the least is {:.2f}x: {}, "
        "batch {}, {} thread{}.\n",
        slowest->ratio(), slowest->what, slowest->batch, slowest->threads, slowest->threads == 1 ? "" : "s");
  return out;
}

}  // namespace squall::bench
