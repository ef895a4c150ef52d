// What hooks that change masks while training goes on have in common: how masks are chosen, and keeping network,
// stepper and checkpoints right around it.
#pragma once

#include "squall/training/mask_model.hpp"
#include "squall/training/trainer.hpp"

namespace squall {

struct ChangesMasksOptions : HookOptions {
  json score = "magnitude", eligible = "fair", share = "uniform";
  Quota quota = Quota::Unit;
  bool biases = false;
  std::string iter_name = "validation";
};
template <class O>
constexpr auto changes_masks_fields() {
  using C = ChangesMasksOptions;
  return std::tuple{field<O, json>("score", static_cast<json O::*>(&C::score), "what ranks weights, as in sparsify"),
                    field<O, json>("eligible", static_cast<json O::*>(&C::eligible),
                                   "what a task may take; fair: exclusive at every moment"),
                    field<O, json>("share", static_cast<json O::*>(&C::share), "how sparse each tensor becomes"),
                    field<O, Quota>("quota", static_cast<Quota O::*>(&C::quota), "unit, tensor, layer or global"),
                    field<O, bool>("biases", static_cast<bool O::*>(&C::biases), "prune biases, too"),
                    field<O, std::string>("iter_name", static_cast<std::string O::*>(&C::iter_name),
                                          "data for scores that need them")};
}

// Adds problems of the parts; call from resolve().
void check_changes_masks(const ChangesMasksOptions& options, const Catalog& catalog, std::string_view where,
                         Problems& problems);
// Options of a selection at this sparsity; the original's where compat is not empty.
Rsn2Options selection_of(const ChangesMasksOptions& options, double sparsity, const std::string& compat);

// From now on the layout of parameters does not depend on masks.
void prepare_masks(Trainer& trainer);
// Sets masks and forgets the optimiser's state of what they take away; warnings are said.
void change_masks(Trainer& trainer, const Rsn2Options& selection, const std::string& iter_name, std::uint64_t seed,
                  MaskMemory* memory);

}  // namespace squall
