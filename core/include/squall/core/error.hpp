// Exceptions for what a user can cause, and the macro that raises them with a message made of parts.
// A message says what failed, where, and what would be right.
#pragma once

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class ConfigError : public Error {  // a description (JSON, option, pattern) that cannot be used
 public:
  using Error::Error;
  ConfigError(const std::string& text, std::vector<std::string> problems)
      : Error(text), problems_(std::make_shared<const std::vector<std::string>>(std::move(problems))) {}
  // One by one, where several were told at once; else null.
  const std::vector<std::string>* problems() const { return problems_.get(); }

 private:
  std::shared_ptr<const std::vector<std::string>> problems_;
};
class ShapeError : public Error {  // operands or connections that do not fit
 public:
  using Error::Error;
};
class DeviceError : public Error {  // a handler that is missing or failed
 public:
  using Error::Error;
};
class FileError : public Error {  // a file that cannot be read, written or trusted
 public:
  using Error::Error;
};
class DataError : public Error {  // data whose content is not what was promised
 public:
  using Error::Error;
};
class NumericError : public Error {  // a number that is not finite where it must be
 public:
  using Error::Error;
};

template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

template <class E = Error, class... Parts>
[[noreturn]] void raise(const Parts&... parts) {
  throw E(concat(parts...));
}

// Collects every problem of a description so that all of them are told at once.
class Problems {
 public:
  // `where` is a JSON path or a layer's name; it may be empty. The same problem is kept once.
  void add(std::string_view where, std::string_view text);
  // Each problem of an error, `where` in front of those that do not begin with it.
  void add(std::string_view where, const Error& error);
  bool empty() const { return found_.empty(); }
  const std::vector<std::string>& all() const { return found_; }
  // Throws ConfigError with all problems, one per line, after `headline`.
  void raise_if_any(std::string_view headline) const;

 private:
  std::vector<std::string> found_;
};

}  // namespace squall

// Raises ShapeError; the message is built only when the condition is false.
#define SQUALL_CHECK(condition, ...)                                      \
  do {                                                                    \
    if (!(condition)) ::squall::raise<::squall::ShapeError>(__VA_ARGS__); \
  } while (false)
