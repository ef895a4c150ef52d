#include "squall/hooks/changes_masks.hpp"

#include "squall/training/forget_masked.hpp"

namespace squall {

void check_changes_masks(const ChangesMasksOptions& options, const Catalog& catalog, std::string_view where,
                         Problems& problems) {
  check_options(selection_of(options, 0, ""), where, catalog, problems);
}

Rsn2Options selection_of(const ChangesMasksOptions& options, double sparsity, const std::string& compat) {
  Rsn2Options o = mask_model_options(sparsity, options.score);
  o.compat = compat;
  if (!compat.empty()) return o;
  o.examples = Rsn2Options().examples;
  o.eligible = options.eligible;
  o.share = options.share;
  o.quota = options.quota;
  o.biases = options.biases;
  return o;
}

void prepare_masks(Trainer& trainer) {
  unpack_masks(trainer.network());
  if (!trainer.stepper().fits(trainer.network())) trainer.stepper().start(trainer.network());
}

void change_masks(Trainer& trainer, const Rsn2Options& selection, const std::string& iter_name, std::uint64_t seed,
                  MaskMemory* memory) {
  MaskModelRun run;
  run.data = trainer.iterator(iter_name);
  run.seed = seed;
  run.memory = memory;
  run.pack = false;
  const MaskReport report = mask_model(trainer.network(), trainer.tasks(), selection, run);
  for (const auto& warning : report.warnings) trainer.say(warning);
  forget_masked(trainer.stepper(), trainer.network());
}

}  // namespace squall
