// Setting the masks that were chosen, and the values of what is kept.
#pragma once

#include "masks/targets.hpp"
#include "squall/training/mask_memory.hpp"
#include "squall/training/mask_rules.hpp"

namespace squall::masks {

// One mask per target; slices that are no targets keep theirs. `rescales`: kept weights get the standard deviation that
// their number asks for. With a memory what is masked can come back.
void commit(Network& network, std::span<const Target> targets, std::span<const MaskBytes> chosen, bool rescales,
            MaskMemory* memory = nullptr);

}  // namespace squall::masks
