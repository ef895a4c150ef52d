#include "cli/usage.hpp"

#include <charconv>

#include "squall/core/error.hpp"
#include "squall/handlers/make_handler.hpp"

namespace squall::cli {

namespace {

std::string whole_number(const std::string& text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = bad == std::errc{} && end == text.data() + text.size();
  if (whole && value >= least && value <= most) return {};
  return concat("should be a whole number from ", least, " to ", most, ", not '", text, "'");
}

}  // namespace

std::string handler_name(const std::string& text) {
  try {
    check_handler_name(text);
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

std::string assignment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals != std::string::npos && equals > 0) return {};
  return concat("should be PATH=VALUE, like train.batch_size=50, not '", text, "'");
}

std::string seed(const std::string& text) { return whole_number(text, 0, std::numeric_limits<std::uint64_t>::max()); }
std::string count(const std::string& text) {
  return whole_number(text, 1, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}
std::string count_or_none(const std::string& text) {
  return whole_number(text, 0, static_cast<std::uint64_t>(std::numeric_limits<int>::max()));
}

}  // namespace squall::cli
