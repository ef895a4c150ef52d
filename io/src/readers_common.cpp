#include "readers_common.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "squall/core/nearest.hpp"

namespace squall {

void Reader::check_files(const std::filesystem::path& data_folder, std::string_view where, Problems& problems) const {
  std::error_code ignored;
  for (const auto& alternatives : files(data_folder)) {
    const auto there = [&](const std::filesystem::path& path) { return std::filesystem::exists(path, ignored); };
    if (std::ranges::any_of(alternatives, there)) continue;
    std::vector<std::string> names;
    for (const auto& path : alternatives) names.push_back(concat("'", path.string(), "'"));
    problems.add(where, concat("needs the file ", join(names, " or "), ", which is not there"));
  }
}

std::span<const EnumName<TargetKind>> enum_names(TargetKind) {
  static constexpr std::array<EnumName<TargetKind>, 3> kNames{
      {{"auto", TargetKind::Auto}, {"classes", TargetKind::Classes}, {"values", TargetKind::Values}}};
  return kNames;
}

void settle_targets(DataSet& set, TargetKind kind, const std::string& name) {
  constexpr double kMostAutoClasses = 1e6;
  double largest = -1;
  bool whole = true;
  for (const auto& [split_name, split] : set.splits) {
    const auto targets = split.find("targets");
    if (targets == split.end()) continue;
    whole = whole && could_be_classes(targets->second);
    for (Index i = 0; whole && i < targets->second.elements(); ++i)
      largest = std::max(largest, targets->second.value(i));
  }
  if (kind == TargetKind::Classes && !whole)
    raise<DataError>(name, ": the targets are not classes, which are whole numbers from 0, one per example");
  const bool classes = kind == TargetKind::Classes || (kind == TargetKind::Auto && whole && largest < kMostAutoClasses);
  set.classes = classes ? static_cast<Index>(largest) + 1 : 0;
  for (auto& [split_name, split] : set.splits)
    if (const auto targets = split.find("targets"); targets != split.end())
      targets->second = targets->second.cast(classes ? DType::I32 : DType::F32);
}

HostArray as_column(HostArray labels) {
  return labels.shape().rank() == 1 ? labels.reshaped(labels.shape().with_back(1)) : labels;
}

void require_option(const std::string& value, const char* name, std::string_view where, Problems& problems) {
  if (value.empty()) problems.add(where, concat("option '", name, "' is needed"));
}

}  // namespace squall
