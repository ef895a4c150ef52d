// A plan is an operation prepared for one shape: chosen once when a network is bound, run many times.
// It books scratch memory (workspace: valid during one call; reserve: kept from forward to backward) and is given
// both before its first run. It allocates nothing while it runs.
#pragma once

#include <string>
#include <string_view>

#include "squall/core/tensor.hpp"

namespace squall {

// Looks at results after an operation; installed by handlers whose name starts with "debug:".
class OpGuard {
 public:
  virtual ~OpGuard() = default;
  // Throws NumericError naming `op` when `result` holds a number that is not finite.
  virtual void after(std::string_view op, const ConstMatrix& result) = 0;
};

class Plan {
 public:
  virtual ~Plan() = default;
  virtual std::string_view kind() const = 0;  // "reference", "openblas", "direct", ...; for reports
  virtual std::size_t workspace_bytes() const { return 0; }
  virtual std::size_t reserve_bytes() const { return 0; }
  virtual void set_workspace(void*) {}
  virtual void set_reserve(void*) {}
  void set_guard(OpGuard* guard) { guard_ = guard; }

 protected:
  void guard(std::string_view op, const ConstTensor& result) const {
    if (guard_ != nullptr && result && is_real(result.dtype())) guard_->after(op, ConstMatrix(result));
  }
  void guard(std::string_view op, const ConstMatrix& result) const {
    if (guard_ != nullptr && result.data != nullptr) guard_->after(op, result);
  }

 private:
  OpGuard* guard_ = nullptr;
};

}  // namespace squall
