// The original's selection, tensor by tensor.
#include <algorithm>

#include "masks/choose.hpp"
#include "squall/core/selection.hpp"

namespace squall::masks {

std::vector<MaskBytes> choose_literally(std::span<const Target> targets, const Scores& scores, MaskRule rule,
                                        std::vector<std::string>& warnings) {
  std::map<ParameterKey, std::vector<std::size_t>> tensors;
  for (std::size_t i = 0; i < targets.size(); ++i) tensors[key_of(targets[i])].push_back(i);
  std::vector<MaskBytes> masks(targets.size());
  for (auto& [key, slices] : tensors) {
    std::ranges::sort(slices, {}, [&](std::size_t i) { return targets[i].slice; });
    std::vector<std::vector<double>> all;
    for (const std::size_t i : slices) all.push_back(scores.of(i));
    const auto chosen = literal_masks(rule, all, targets[slices.front()].sparsity);
    for (std::size_t k = 0; k < slices.size(); ++k) {
      const Target& t = targets[slices[k]];
      masks[slices[k]] = chosen[k];
      const Index wanted = kept_of(t.elements(), t.sparsity), kept = std::ranges::count(chosen[k], std::uint8_t{1});
      if (kept != wanted)
        warnings.push_back(
            concat(t.name, " keeps ", kept, " of ", t.elements(), " weights, not ", wanted, ": the original's rule"));
      describe_choice(t, all[k], chosen[k], warnings);
    }
  }
  return masks;
}

}  // namespace squall::masks
