// Checks of what is written on the command line, so that wrong usage is told before anything is done.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace squall::cli {

// Each gives what is wrong with the text, or nothing; for CLI::Option::check.
std::string handler_name(const std::string& text);
std::string assignment(const std::string& text);  // PATH=VALUE
std::string seed(const std::string& text);
std::string count(const std::string& text);          // 1, 2, ...
std::string count_or_none(const std::string& text);  // 0, 1, ... as far as an int goes

}  // namespace squall::cli
