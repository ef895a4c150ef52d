// Initializers and modifiers of parameters, and the patterns that say which parameter gets which.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "squall/core/describe.hpp"
#include "squall/core/graph.hpp"
#include "squall/core/json.hpp"
#include "squall/core/random.hpp"
#include "squall/core/tensor.hpp"

namespace squall {

class Handler;
class Catalog;

// An initializer that does not suit a shape; the fallback takes over where there is one.
class InitializationError : public ConfigError {
 public:
  using ConfigError::ConfigError;
};

// What an initializer or modifier is told about its parameter. Of a parameter with a task axis it is one slice.
struct ParameterContext {
  std::string layer, name;
  Shape shape;
  bool bias = false;
};

class Initializer : public Describable {
 public:
  static constexpr std::string_view kFamily = "initializer";
  // Fills in double precision; the network rounds to its own type, so cpu:f32 gets the rounded cpu:f64 values.
  virtual void fill(std::span<double> values, const ParameterContext& parameter, Rng& rng) const = 0;
};

// Something done to a parameter after each update, or to its gradient after each backward pass.
class Modifier : public Describable {
 public:
  static constexpr std::string_view kFamily = "modifier";
  // `target` is the value or the gradient, whichever it is installed for. Allocates nothing after the first call.
  virtual void apply(Handler& handler, const Tensor& value, const Tensor& target,
                     const ParameterContext& parameter) = 0;
  virtual bool only_for_gradients() const { return false; }
  // It treats every weight by itself or in one sum, so that it may be given the kept weights alone, as a vector.
  virtual bool takes_entries() const { return false; }
  // One object for all parameters that its description reaches: begin(), then measure() of each target, then apply() to
  // each, after all modifiers that are not joint.
  virtual bool joint() const { return false; }
  virtual void begin() {}
  virtual void measure(Handler&, const Tensor& /*target*/) {}
};

// Patterns over the two levels layer and parameter, as brainstorm has them:
//   {"Lstm*": {"b*": 0}, "*_out": 2, "default": {...}, "fallback": 0}
// Each * stands for letters, digits and underscores. A value that is not an object of patterns applies to everything
// below. `default` applies to what nothing else at that level matches; `fallback` is collected apart; inner ones
// override outer ones. A leaf is a number, a list, or an object with "@type".
struct PatternMatch {
  std::vector<json> values;  // in the order in which the patterns are written, equal ones once
  std::vector<json> fallback;
  bool by_default = false;  // values come from a `default`
};
// Result by (node, parameter or state): states are matched only when a pattern other than `default` names them.
// A pattern that matches nothing is a problem.
struct PatternTarget {
  int node = -1, slot = -1;
  bool state = false;
  PatternMatch match;
};
std::vector<PatternTarget> resolve_patterns(const Graph& graph, const json& patterns, std::string_view where,
                                            Problems& problems);
// The same for patterns to initializers or modifiers, each of which is tried; nothing is changed.
void check_initializers(const Graph& graph, const Catalog& catalog, const json& patterns, std::string_view where,
                        Problems& problems);
void check_modifiers(const Graph& graph, const Catalog& catalog, const json& patterns, std::string_view where,
                     bool gradients, Problems& problems);

}  // namespace squall
