// Helpers to look at errors as a user sees them.
#pragma once

#include <string>

#include "squall/core/error.hpp"

namespace graph_test {

// The text of the squall error that f() throws; "no error" without one.
template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const squall::Error& e) {
    return e.what();
  }
  return "no error";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace graph_test
