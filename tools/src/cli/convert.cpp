#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/usage.hpp"
#include "squall/tools/convert.hpp"
#include "squall/tools/extract_task.hpp"
#include "squall/tools/saved_model.hpp"
#include "squall/training/quantize.hpp"

namespace squall::cli {

namespace {

struct ConvertOptions {
  std::filesystem::path model, out;
  std::string to = "sparse", task, quantize;
  std::vector<Index> batches{1, 32, 128};
};

json as_json(const Conversion& r, std::size_t bytes) {
  json out = {{"bytes", bytes}, {"dense_bytes", r.dense_bytes}, {"max_difference", r.max_difference}};
  out["batches"] = json::object();
  for (const auto& b : r.batches)
    out["batches"][std::to_string(b.batch)] = {{"dense_us", b.dense_us}, {"packed_us", b.packed_us}};
  out["layers"] = json::array();
  for (const auto& l : r.layers)
    out["layers"].push_back({{"layer", l.layer},
                             {"task", l.task},
                             {"density", l.density},
                             {"format", std::string(name_of(l.format))},
                             {"bytes", l.bytes},
                             {"dense_us", l.dense_us},
                             {"packed_us", l.packed_us}});
  return out;
}

std::string as_text(const Conversion& r, std::size_t bytes) {
  std::string text = fmt::format("{:<20}{:<12}{:>9}  {:<10}{:>12}{:>12}\n", "layer", "task", "density", "format",
                                 "dense us", "packed us");
  for (const auto& l : r.layers)
    text += fmt::format("{:<20}{:<12}{:>9.4f}  {:<10}{:>12.1f}{:>12.1f}\n", l.layer, l.task, l.density,
                        name_of(l.format), l.dense_us, l.packed_us);
  for (const auto& b : r.batches)
    text += fmt::format("batch {:>4}: {:.1f} us dense, {:.1f} us packed ({:.2f}x)\n", b.batch, b.dense_us, b.packed_us,
                        b.dense_us / b.packed_us);
  return text + fmt::format("{} bytes on disk, {} as dense values; largest relative difference {:.2g}\n", bytes,
                            r.dense_bytes, r.max_difference);
}

int convert(const ConvertOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler());
  json description = model.description();
  auto tasks = model.tasks(o.task);
  std::unique_ptr<Network> part;
  if (!o.task.empty()) {
    part = extract_task(model.network(), tasks.at(0));
    description = description_for_task(description, o.task);
  }
  Network& network = part ? *part : model.network();
  description.erase("architecture");
  std::vector<std::string> heads;
  for (const auto& task : tasks)
    if (!task.output.empty()) heads.push_back(task.output);
  std::optional<QuantizeReport> quantized;
  if (!o.quantize.empty()) {
    Quantization format{};
    read_value(json(o.quantize), format);
    quantized = quantize_network(network, format);
    description["quantized"] = o.quantize;
  }
  Conversion result;
  result.dense_bytes = static_cast<std::size_t>(network.parameter_count()) * sizeof(float);
  if (o.to == "sparse") result = convert_to_sparse(network, heads, o.batches);
  if (o.to == "dense") convert_to_dense(network);
  if (o.to == "masked") convert_to_masked(network);
  save_model(o.out, network, description, o.to == "dense" ? 0 : 6);
  const auto bytes = static_cast<std::size_t>(std::filesystem::file_size(o.out));
  json report = as_json(result, bytes);
  if (quantized) report["quantized"] = quantized->to_json();
  c.print(report, (quantized ? quantized->text() : "") + as_text(result, bytes));
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Context& context) {
  auto o = std::make_shared<ConvertOptions>();
  CLI::App* command = add_command(app, context, "convert", "packed, dense or masked form of a model",
                                  [o, &context] { return convert(*o, context); });
  command->add_option("model", o->model, "model file")->required();
  command->add_option("--to", o->to, "sparse, dense or masked")
      ->check(CLI::IsMember({"sparse", "dense", "masked"}))
      ->capture_default_str();
  command->add_option("--quantize", o->quantize, "fp16, bf16 or int8 (a scale per unit and task); zeros stay zeros")
      ->check(CLI::IsMember({"fp16", "bf16", "int8"}));
  command->add_option("--task", o->task, "this task alone");
  command->add_option("--batches", o->batches, "batch sizes to measure")->delimiter(',')->check(count);
  command->add_option("--out", o->out, "model file to write")->required();
}

}  // namespace squall::cli
