// The properties of check_layer(), one function each; failures go into the report.
#pragma once

#include <functional>

#include "rig.hpp"

namespace squall::testing {

struct Handlers {
  std::vector<std::shared_ptr<Handler>> all;
  std::shared_ptr<Handler> exact;  // in double precision, not a debug one; null where there is none
};

class Report {
 public:
  Report(std::string who, std::vector<std::string>& lines) : who_(std::move(who)), lines_(lines) {}
  template <class... Parts>
  void fail(const Parts&... parts) {
    lines_.push_back(concat(property, " ", who_, place, ": ", parts...));
  }
  // Fails when `what` is not empty.
  void expect_none(std::string_view when, const std::string& what) {
    if (!what.empty()) fail(when, ": ", what);
  }
  std::string property, place;

 private:
  std::string who_;
  std::vector<std::string>& lines_;
};

struct Bench {
  const LayerCase& layer_case;
  const Catalog& catalog;
  const CheckOptions& options;
  const Handlers& handlers;
  Report& report;

  Rig rig(const Setup& setup) const { return Rig(layer_case, catalog, setup); }
  // For every handler and every size.
  void for_each_setup(const std::function<void(Setup)>& f) const;
  // For every size, in double precision.
  void for_each_exact(const std::function<void(Setup)>& f) const;
};

double tolerance_of(const Handler& handler, double f32, double f64);

// Compares what backward gives with finite differences. Names of inputs and parameters that are left out: `except`.
struct Counted {
  Index checked = 0, kinks = 0;
};
void compare_with_differences(Rig& rig, Report& report, Counted& counted, Index per_array);

void check_derivatives(const Bench& bench);   // L1
void check_sinks(const Bench& bench);         // L2
void check_poison(const Bench& bench);        // L3
void check_constness(const Bench& bench);     // L4
void check_bounds(const Bench& bench);        // L5
void check_memory_modes(const Bench& bench);  // L6
void check_handlers(const Bench& bench);      // L7
void check_batches(const Bench& bench);       // L8
void check_determinism(const Bench& bench);   // L9
void check_allocations(const Bench& bench);   // L10
void check_description(const Bench& bench);   // L11
void check_refusals(const Bench& bench);      // L12
void check_wiring(const Bench& bench);        // L13

}  // namespace squall::testing
