#include "squall/training/mask_rules.hpp"

#include "squall/core/selection.hpp"

namespace squall {

namespace {

// Scores with zeros where the rule bars a slot, given how many earlier slices hold it.
std::vector<double> barred(MaskRule rule, const std::vector<double>& scores, const std::vector<int>& held) {
  std::vector<double> out = scores;
  for (std::size_t i = 0; i < out.size(); ++i) switch (rule) {
      case MaskRule::GradientsExclusive: out[i] = held[i] == 1 ? 0 : out[i]; break;
      case MaskRule::MagnitudeExclusive: out[i] *= 1 - held[i]; break;
      case MaskRule::PruneExclusive: out[i] = held[i] != 0 ? 0 : out[i]; break;
      case MaskRule::Independent: break;
    }
  return out;
}

}  // namespace

std::vector<MaskBytes> literal_masks(MaskRule rule, std::span<const std::vector<double>> scores, double percent) {
  std::vector<MaskBytes> masks;
  std::vector<int> held(scores.empty() ? 0 : scores[0].size(), 0);
  for (const auto& own : scores) {
    SQUALL_CHECK(own.size() == held.size(), "literal_masks: slices have ", held.size(), " and ", own.size(), " scores");
    const auto candidates = barred(rule, own, held);
    if (rule == MaskRule::MagnitudeExclusive && !own.empty()) {
      const double threshold = percentile(own, percent);
      MaskBytes keep(own.size());
      for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = candidates[i] >= threshold ? 1 : 0;
      masks.push_back(std::move(keep));
    } else {
      masks.push_back(keep_by_percentile(candidates, percent));
    }
    for (std::size_t i = 0; i < held.size(); ++i) held[i] += masks.back()[i];
  }
  return masks;
}

MaskBytes literal_task_mask(std::span<const std::vector<double>> magnitudes, std::size_t slice, double percent,
                            bool respect_previous) {
  SQUALL_CHECK(slice < magnitudes.size(), "literal_task_mask: there is no slice ", slice, " of ", magnitudes.size());
  std::vector<double> scores = magnitudes[slice];
  for (std::size_t before = 0; respect_previous && before < slice; ++before)
    for (std::size_t i = 0; i < scores.size(); ++i)
      if (magnitudes[before][i] != 0) scores[i] = 0;
  return keep_by_percentile(scores, percent);
}

}  // namespace squall
