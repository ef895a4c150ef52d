// kind = prune of BeyondML's recordings: one call that sets masks, literally and by the exact selection.
#include <algorithm>

#include "conformance/beyondml_kinds.hpp"
#include "squall/training/mask_model.hpp"

namespace squall::conformance {

void set_recorded_masks(const H5Reader& file, RecordedNetwork& net, DataIterator* data, const std::string& compat) {
  const std::string operation = file.attribute_text("/", "operation");
  const double percentile = file.attribute_real("/", "percentile");
  if (operation == "prune" || operation == "prune_model") {
    prune_model(net.network(), percentile, compat);
  } else if (operation == "mask_model") {
    Rsn2Options options =
        mask_model_options(percentile, file.attribute_text("/", "method"), file.attribute_int("/", "exclusive") != 0);
    options.compat = compat;
    MaskModelRun run;
    run.data = data;
    mask_model(net.network(), net.tasks(), options, run);
  } else if (operation == "mask_task_weights") {
    MaskTaskOptions options;
    options.percentile = percentile;
    options.respect_previous = file.attribute_int("/", "respect_previous_tasks") != 0;
    options.compat = compat;
    mask_task_weights(net.network(), net.tasks().at(static_cast<std::size_t>(file.attribute_int("/", "task"))),
                      options);
  } else {
    raise<ConfigError>("the operation ", operation, " is not known");
  }
}

namespace {

bool has(const json& list, const std::string& name) {
  return list.is_array() && std::ranges::find(list, json(name)) != list.end();
}

void fail(Comparison& c, const std::string& where, const std::string& what) {
  c.fail(concat("the default mode's mask of ", where, " ", what));
}

// What the recorded masks say about the exact selection. A slice is only judged while nothing before it in its tensor
// went another way.
void check_default(const H5Reader& file, RecordedNetwork& net, Comparison& c) {
  const json degenerate = json_attribute(file, "degenerate_tensors"),
             rounded = json_attribute(file, "index_rounding_tensors");
  const std::string rule = file.attribute_text("/", "rule");
  std::string left;  // tensor whose later slices are not judged
  for (const auto& name : net.tensors()) {
    const std::string tensor = name.substr(0, name.find('['));
    if (tensor == left) continue;
    const bool same = net.mask_of(name) == net.recorded_mask("/after", name);
    if (has(degenerate, name) && same) fail(c, name, "is the degenerate one");
    if (has(degenerate, name) || has(rounded, name)) left = tensor;
    if (tensor != left && !same && rule != "B") fail(c, name, "is not the recorded one");
  }
}

// No two slices of a tensor keep one weight, where the masks were chosen exclusively.
void check_disjoint(RecordedNetwork& net, Comparison& c) {
  std::map<std::string, std::vector<int>> owners;
  for (const auto& name : net.tensors()) {
    if (name.find('[') == std::string::npos) continue;
    auto& sum = owners[name.substr(0, name.find('['))];
    const auto mask = net.mask_of(name);
    sum.resize(mask.size(), 0);
    for (std::size_t i = 0; i < mask.size(); ++i) sum[i] += mask[i];
    if (std::ranges::any_of(sum, [](int n) { return n > 1; })) fail(c, name, "keeps a weight of another slice");
  }
}

void compare_scores(const H5Reader& file, RecordedNetwork& net, DataIterator& data, Comparison& c) {
  if (!file.exists("/gradients")) return;
  Batch batch;
  data.restart(0);
  data.next(batch);
  std::vector<std::string> heads;
  for (const auto& task : net.tasks()) heads.push_back(task.loss);
  net.network().provide(batch);
  net.network().forward(net.network().pass(Mode::Train, heads));
  net.network().backward(false);
  net.compare_gradients("/gradients", static_cast<double>(data.examples()), c);
}

}  // namespace

void replay_prune(const H5Reader& file, const std::shared_ptr<Handler>& handler, Comparison& c) {
  RecordedNetwork net(file, handler);
  std::unique_ptr<Undivided> data;
  if (file.exists("/inputs")) data = std::make_unique<Undivided>(net.data());
  if (data) compare_scores(file, net, *data, c);
  set_recorded_masks(file, net, data.get(), "beyondml");
  net.compare_state("/after", -1, "after/", c);
  net.set_state("/before");
  set_recorded_masks(file, net, data.get(), "");
  check_default(file, net, c);
  const std::string rule = file.attribute_text("/", "rule");
  const bool exclusive = rule != "N" && file.attribute_text("/", "operation") != "mask_task_weights";
  if (exclusive) check_disjoint(net, c);
}

}  // namespace squall::conformance
