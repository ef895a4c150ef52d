// Tables of numbers as text: one line per row, separated by commas, semicolons or tabs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "squall/core/host_array.hpp"

namespace squall {

struct Table {
  std::vector<std::string> columns;  // of the header line; empty without one
  HostArray values;                  // (rows, columns) F64
};

// The first line is a header if something in it is not a number. Empty lines are skipped, cells may be quoted.
// Errors name line and column. `name` is for messages.
Table parse_csv(std::string_view text, const std::string& name);
Table read_csv(const std::filesystem::path& path);  // .gz too

}  // namespace squall
