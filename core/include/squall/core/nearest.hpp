// The nearest right word for a wrong one, for messages.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace squall {

// The candidate with the smallest edit distance (case counts little); empty if none is near.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

// "; did you mean 'X'?" or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// "a, b, c"
std::string join(std::span<const std::string> words, std::string_view separator = ", ");

}  // namespace squall
