// What Rsn2 does: targets without masks, a selection, a report.
#include "squall/training/rsn2.hpp"

#include "masks/report.hpp"
#include "masks/selecting.hpp"

namespace squall {

MaskReport Rsn2::apply(Network& network, std::span<const Task> tasks, DataIterator* data, std::uint64_t seed) const {
  network.store().spread_all();
  const masks::Rules rules(options, network.catalog());
  const auto ordered = masks::in_order(tasks, options, network.graph());
  std::vector<std::string> warnings;
  auto targets = masks::find_targets(network, ordered, options.biases || rules.literal.has_value());
  masks::leave_chosen(network, targets, warnings);
  masks::Selecting how{network, rules, ordered, data, seed};
  how.rescale = options.rescale;
  masks::select(how, targets, warnings);
  if (options.mode == Rsn2Mode::Sequential)
    for (const auto& task : ordered) masks::warn_of_shared(network, task, warnings);
  MaskReport report = masks::report(network, ordered, masks::waiting_slices(network, targets));
  report.warnings.insert(report.warnings.begin(), warnings.begin(), warnings.end());
  return report;
}

}  // namespace squall
