#include "squall/core/error.hpp"

#include <algorithm>

namespace squall {

void Problems::add(std::string_view where, std::string_view text) {
  std::string problem = where.empty() ? std::string(text) : concat(where, ": ", text);
  if (std::ranges::find(found_, problem) == found_.end()) found_.push_back(std::move(problem));
}

void Problems::raise_if_any(std::string_view headline) const {
  if (found_.empty()) return;
  if (found_.size() == 1) throw ConfigError(found_.front());
  std::string text = concat(headline, ": ", found_.size(), " problems");
  for (const auto& one : found_) text += "\n  " + one;
  throw ConfigError(text);
}

}  // namespace squall
