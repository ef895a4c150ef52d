#include "squall/core/error.hpp"

#include <algorithm>

namespace squall {

void Problems::add(std::string_view where, std::string_view text) {
  std::string problem = where.empty() ? std::string(text) : concat(where, ": ", text);
  if (std::ranges::find(found_, problem) == found_.end()) found_.push_back(std::move(problem));
}

void Problems::add(std::string_view where, const Error& error) {
  const auto* config = dynamic_cast<const ConfigError*>(&error);
  const auto add_one = [&](const std::string& text) {
    const bool told = !where.empty() && text.starts_with(where);
    add(told ? std::string_view() : where, text);
  };
  if (config == nullptr || config->problems() == nullptr) return add_one(error.what());
  for (const auto& one : *config->problems()) add_one(one);
}

void Problems::raise_if_any(std::string_view headline) const {
  if (found_.empty()) return;
  if (found_.size() == 1) throw ConfigError(found_.front());
  std::string text = concat(headline, ": ", found_.size(), " problems");
  for (const auto& one : found_) text += "\n  " + one;
  throw ConfigError(text, found_);
}

}  // namespace squall
