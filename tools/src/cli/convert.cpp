#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/usage.hpp"
#include "model/timing.hpp"
#include "squall/tools/convert.hpp"
#include "squall/tools/extract_task.hpp"
#include "squall/tools/saved_model.hpp"
#include "squall/training/quantize.hpp"

namespace squall::cli {

namespace {

struct ConvertOptions {
  std::filesystem::path model, out;
  std::string to = "sparse", task, quantize, masks = "auto";
  std::vector<Index> batches{1, 32, 128};
  bool again = false;
};

// What the file holds of a packed parameter's masks.
struct StoredMask {
  std::string parameter, coding;
  std::size_t bytes = 0;
};

struct Written {
  Conversion conversion;
  std::optional<QuantizeReport> quantized;
  std::vector<StoredMask> masks;
  std::size_t bytes = 0;
};

json as_json(const Written& w, const std::vector<Index>& batches) {
  const Conversion& r = w.conversion;
  json out = {{"bytes", w.bytes}, {"dense_bytes", r.dense_bytes}, {"max_difference", r.max_difference}};
  out["batches"] = json::object();
  for (const auto& b : r.batches)
    out["batches"][std::to_string(b.batch)] = {
        {"dense_us", b.dense_us}, {"packed_us", b.packed_us}, {"ratio", b.ratio}};
  out["layers"] = json::array();
  for (const auto& l : r.layers) {
    json one = {{"layer", l.layer},         {"task", l.task},
                {"density", l.density},     {"format", std::string(name_of(l.format))},
                {"bytes", l.bytes},         {"dense_us", l.dense_us},
                {"packed_us", l.packed_us}, {"ratios", json::object()}};
    for (std::size_t b = 0; b < l.ratios.size(); ++b) one["ratios"][std::to_string(batches[b])] = l.ratios[b];
    out["layers"].push_back(std::move(one));
  }
  out["masks"] = json::array();
  for (const auto& m : w.masks)
    out["masks"].push_back({{"parameter", m.parameter}, {"coding", m.coding}, {"bytes", m.bytes}});
  if (w.quantized) out["quantized"] = w.quantized->to_json();
  return out;
}

std::string as_text(const Written& w) {
  const Conversion& r = w.conversion;
  std::string text = w.quantized ? w.quantized->text() : "";
  if (!r.layers.empty())
    text += fmt::format("{:<20}{:<12}{:>9}  {:<10}{:>12}{:>12}\n", "layer", "task", "density", "format", "dense us",
                        "packed us");
  for (const auto& l : r.layers)
    text += fmt::format("{:<20}{:<12}{:>9.4f}  {:<10}{:>12.1f}{:>12.1f}\n", l.layer, l.task, l.density,
                        name_of(l.format), l.dense_us, l.packed_us);
  for (const auto& b : r.batches)
    text += fmt::format("batch {:>4}: {:.1f} us dense, {:.1f} us packed ({:.2f}x)\n", b.batch, b.dense_us, b.packed_us,
                        b.ratio);
  if (r.all_dense) text += "the whole network is not faster than dense here: all layers are computed dense\n";
  std::size_t masks = 0;
  for (const auto& m : w.masks) masks += m.bytes;
  if (masks > 0) text += fmt::format("{} bytes of masks\n", masks);
  return text + fmt::format("{} bytes on disk, {} as dense values; largest relative difference {:.2g}\n", w.bytes,
                            r.dense_bytes, r.max_difference);
}

// The model as it was, to compare with; and the file, as whoever opens it will get it.
void check_written(const std::filesystem::path& path, Network& before, const std::vector<std::string>& heads,
                   Written& w) {
  const ModelFile file(path);
  Network network(file.architecture(), before.catalog(), before.handler_pointer());
  file.load_into(network);
  w.conversion.max_difference = compare_networks(before, network, heads, 16);
  w.bytes = file.bytes();
  for (const auto& e : network.store().entries()) {
    if (e.form != ParameterForm::Stored) continue;
    const std::string& layer = network.graph().node(e.node).name;
    const std::string mask = h5_path({"masks", layer, e.info->name});
    w.masks.push_back({layer + "." + e.info->name, file.reader().attribute_text(mask, "encoding"),
                       static_cast<std::size_t>(file.reader().shape(mask).elements())});
  }
}

// A quantized model stays quantized unless another format is asked for.
std::optional<Quantization> format_of(const ConvertOptions& o, const json& description) {
  const std::string name = o.quantize.empty() ? description.value("quantized", std::string()) : o.quantize;
  Quantization format{};
  if (name.empty() || read_value(json(name), format)) return std::nullopt;
  return format;
}

// A packed model is packed again for a reason only: another coding, fewer bits, one task, or another machine.
void refuse_twice(const ConvertOptions& o, const Network& network) {
  const bool packed =
      std::ranges::any_of(network.store().entries(), [](const auto& e) { return e.form == ParameterForm::Stored; });
  const bool reason = o.again || !o.task.empty() || !o.quantize.empty() || o.masks != "auto";
  if (packed && o.to == "sparse" && !reason)
    raise<ConfigError>(
        "the model is already in sparse form; convert it --to dense or masked first, or give --again to "
        "measure its layers on this machine");
}

int convert(const ConvertOptions& o, const Context& c) {
  SavedModel model(o.model, c.catalog, c.make_handler());
  refuse_twice(o, model.network());
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
  const auto before = dense_copy(network);
  for (const auto& head : heads) before->pin(head);
  Written result;
  SaveOptions save{o.to == "dense" ? 0 : 6, format_of(o, description), mask_coding_of(o.masks)};
  if (save.quantization) {
    result.quantized = quantize_network(network, *save.quantization);
    description["quantized"] = std::string(enum_name(*save.quantization));
  }
  result.conversion.dense_bytes = static_cast<std::size_t>(network.parameter_count()) * sizeof(float);
  if (o.to == "sparse") result.conversion = convert_to_sparse(network, heads, o.batches);
  if (o.to == "dense") convert_to_dense(network);
  if (o.to == "masked") convert_to_masked(network);
  save_model(o.out, network, description, save);
  check_written(o.out, *before, heads, result);
  c.print(as_json(result, o.batches), as_text(result));
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
  std::vector<std::string> codings{"auto"};
  for (const MaskCoding m : kMaskCodings) codings.emplace_back(name_of(m));
  command->add_option("--masks", o->masks, "how packed weights' positions are stored; auto: the smallest way")
      ->check(CLI::IsMember(codings))
      ->capture_default_str();
  command->add_option("--task", o->task, "this task alone");
  command->add_flag("--again", o->again, "measure the layers of a packed model anew, for this machine");
  command->add_option("--batches", o->batches, "batch sizes to measure")->delimiter(',')->check(count);
  command->add_option("--out", o->out, "model file to write")->required();
}

}  // namespace squall::cli
