#include "squall/tools/conformance.hpp"

#include "conformance/beyondml_kinds.hpp"
#include "conformance/kinds.hpp"
#include "conformance/neurosurgeon_kinds.hpp"
#include "conformance/torch_modules.hpp"
#include "conformance/torch_training.hpp"

namespace squall {

namespace {

using Outcome = ConformanceResult::State;

std::string attribute_or(const H5Reader& file, const char* name) {
  return file.has_attribute("/", name) ? file.attribute_text("/", name) : std::string();
}

void finish(const conformance::Comparison& comparison, ConformanceResult& result) {
  result.worst = comparison.worst();
  result.message = comparison.message();
  if (comparison.compared() == 0) result.message = "holds nothing to compare";
  result.state = result.message.empty() ? Outcome::Passed : Outcome::Failed;
}

using BeyondmlReplay = void (*)(const H5Reader&, const std::shared_ptr<Handler>&, conformance::Comparison&);
struct BeyondmlKind {
  std::string_view name;
  BeyondmlReplay replay;
  bool trajectory;  // compared against the largest magnitude of each tensor
};
constexpr BeyondmlKind kBeyondml[] = {{"prune", conformance::replay_prune, false},
                                      {"task_gradients", conformance::replay_task_gradients, false},
                                      {"conversion", conformance::replay_conversion, false},
                                      {"sparsification", conformance::replay_sparsification, false},
                                      {"train_model", conformance::replay_train_model, true},
                                      {"train_iteratively", conformance::replay_train_iteratively, true},
                                      {"training", conformance::replay_masked_training, true}};

// Whether the file is one of BeyondML's networks; then it is replayed.
bool replay_beyondml_network(const H5Reader& file, const std::shared_ptr<Handler>& handler, ConformanceResult& result) {
  const std::string kind = attribute_or(file, "kind");
  if (!file.has_attribute("/", "flavour")) return false;
  for (const auto& known : kBeyondml) {
    if (known.name != kind) continue;
    const bool fp64 = handler->dtype() == DType::F64 && attribute_or(file, "dtype") != "float32";
    conformance::Comparison comparison =
        known.trajectory ? conformance::Comparison(false, fp64 ? 1e-8 : 1e-4) : conformance::Comparison(fp64, 2e-5);
    known.replay(file, handler, comparison);
    finish(comparison, result);
    return true;
  }
  return false;
}

using MaskReplay = void (*)(const H5Reader&, const std::shared_ptr<Handler>&, conformance::Comparison&);
struct MaskKind {
  std::string_view name;
  MaskReplay replay;
};
constexpr MaskKind kMasks[] = {{"layer", conformance::replay_mask_layer},
                               {"model", conformance::replay_mask_model},
                               {"training", conformance::replay_mask_training},
                               {"table", conformance::replay_mask_table}};

// Whether the file is one of NeuroSurgeon's; then it is replayed. Its noise is ill-conditioned in single precision.
bool replay_masks(const H5Reader& file, const std::shared_ptr<Handler>& handler, ConformanceResult& result) {
  if (!attribute_or(file, "reference").starts_with("NeuroSurgeon")) return false;
  const std::string kind = attribute_or(file, "kind");
  for (const auto& known : kMasks) {
    if (known.name != kind) continue;
    const bool noisy = attribute_or(file, "method") == "hard_concrete";
    conformance::Comparison comparison(handler->dtype() == DType::F64, kind == "training" ? 1e-3 : noisy ? 1e-4 : 2e-5);
    known.replay(file, handler, comparison);
    finish(comparison, result);
    return true;
  }
  return false;
}

void replay_file(const H5Reader& file, const Catalog& catalog, const std::shared_ptr<Handler>& handler,
                 ConformanceResult& result) {
  using namespace conformance;  // NOLINT: it knows them all
  const bool fp64 = handler->dtype() == DType::F64;
  if (replay_beyondml_network(file, handler, result) || replay_masks(file, handler, result)) return;
  const std::string kind = attribute_or(file, "kind");
  const bool beyondml = kind == "layer" && file.has_attribute("/", "flavour");
  const bool numpy = kind.empty() && attribute_or(file, "reference").starts_with("numpy");
  if (kind == "module" || beyondml || numpy) {
    Comparison comparison(fp64 && attribute_or(file, "dtype") != "float32", 2e-5);
    if (kind == "module")
      replay_module(file, handler, comparison);
    else if (beyondml)
      replay_beyondml_layer(file, handler, comparison);
    else
      replay_numpy_layer(file, handler, comparison);
    return finish(comparison, result);
  }
  if (kind == "minimizer") {
    result.state = Outcome::NotApplicable;
    result.message = "LBFGS is not offered";
    return;
  }
  if (kind == "optimizer" || kind == "clip" || kind == "schedule") {
    Comparison comparison(fp64 || kind == "schedule", kind == "optimizer" ? 1e-4 : 2e-5);
    if (kind == "optimizer")
      replay_optimizer(file, handler, comparison);
    else if (kind == "clip")
      replay_clip(file, handler, comparison);
    else
      replay_schedule(file, comparison);
    return finish(comparison, result);
  }
  const bool brainstorm = kind.empty() && attribute_or(file, "reference").starts_with("brainstorm");
  if (!brainstorm)
    raise<ConfigError>("recordings of kind '", kind.empty() ? attribute_or(file, "reference") : kind,
                       "' are not known");
  const bool training = file.has_attribute("/", "stepper");
  Comparison comparison(fp64, training ? 1e-4 : 2e-5);
  if (training)
    replay_training(file, catalog, handler, comparison);
  else
    replay_pass(file, catalog, handler, comparison);
  finish(comparison, result);
}

}  // namespace

ConformanceResult replay(const std::filesystem::path& path, const Catalog& catalog,
                         const std::shared_ptr<Handler>& handler) {
  ConformanceResult result;
  result.name = path.stem().string();
  try {
    replay_file(H5Reader(path), catalog, handler, result);
  } catch (const std::exception& e) {
    result.state = Outcome::Failed;
    result.message = e.what();
    for (char& ch : result.message)
      if (ch == '\n') ch = ' ';
  }
  return result;
}

}  // namespace squall
