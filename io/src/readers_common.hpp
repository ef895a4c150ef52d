// What readers share: the common options behind their own, classes or values, and checks.
#pragma once

#include "squall/io/reader.hpp"

namespace squall {

// What the targets of a file without further description are.
enum class TargetKind : std::uint8_t { Auto, Classes, Values };
std::span<const EnumName<TargetKind>> enum_names(TargetKind);

// Gives all targets of the set one type: I32 classes (and their number), or F32 values. `name` is for messages.
void settle_targets(DataSet& set, TargetKind kind, const std::string& name);

// (N) as (N, 1).
HostArray as_column(HostArray labels);

void require_option(const std::string& value, const char* name, std::string_view where, Problems& problems);

}  // namespace squall
