#include "squall/training/progress_bar.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "squall/core/error.hpp"

namespace squall {

ProgressBarText::ProgressBarText(double maximum, std::string bar) : maximum_(maximum), bar_(std::move(bar)) {
  if (!(maximum > 0)) raise<ConfigError>("the maximum of a progress bar should be above 0, not ", maximum);
  if (bar_.empty()) raise<ConfigError>("a progress bar needs at least one character");
}

std::string ProgressBarText::advance(double progress) {
  const double share = std::clamp(progress / maximum_, 0.0, 1.0);
  const auto reached = static_cast<std::size_t>(std::trunc(share * static_cast<double>(bar_.size())));
  const std::size_t before = earned_;
  earned_ = std::max(earned_, reached);
  return bar_.substr(before, earned_ - before);
}

std::string ProgressBarText::text(char rest) const {
  return bar_.substr(0, earned_) + std::string(bar_.size() - earned_, rest);
}

std::string elapsed_text(double seconds) {
  const auto tenths = static_cast<long>(std::floor(std::max(seconds, 0.0) * 10));
  char text[48];
  std::snprintf(text, sizeof text, "%ld:%02ld:%02ld.%ld", tenths / 36000, tenths / 600 % 60, tenths / 10 % 60,
                tenths % 10);
  return text;
}

}  // namespace squall
