// The properties every layer must have, checked without code for the single layer. For your own layers too:
//
//   Catalog catalog;
//   register_layers(catalog);
//   catalog.of<Layer>().add<Square>();
//   testing::LayerCase c;
//   c.name = "vector";
//   c.type = "Square";
//   c.inputs = {{"default", {5}}};
//   for (const auto& failure : testing::check_layer(c, catalog)) std::cout << failure << "\n";
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "squall/core/catalog.hpp"
#include "squall/core/handler.hpp"
#include "squall/core/json.hpp"
#include "squall/core/layer.hpp"

namespace squall::testing {

// What an input of the layer under test is fed with.
struct CaseInput {
  enum class Values : std::uint8_t { Normal, Probabilities, Binary, Labels, Flags };
  std::string name = {};
  std::vector<Index> features = {};
  Values values = Values::Normal;  // Probabilities: 0.1 .. 0.9; Binary: 0 or 1; Flags: the same, as bytes
  Index classes = 2;               // Labels: 0 .. classes - 1, as integers
  std::vector<std::string> leading = {"T", "B"};  // "T_x" and "B_x" are sizes of their own
  bool optional = false;                          // the layer does without it
};

// A way of using the layer that must be refused with a message holding all of `says`.
struct Rejection {
  json options = json::object();
  std::vector<CaseInput> inputs = {};
  std::vector<std::string> says = {};
};

struct LayerCase {
  std::string name = {}, type = {};
  json options = json::object();
  std::vector<CaseInput> inputs = {};
  std::vector<std::pair<std::string, std::vector<double>>> fixed = {};  // parameters that no gradient reaches: values
  bool derivative = true;       // false: backward is, on purpose, not the derivative of forward
  bool coupled = false;         // examples of a batch influence each other (batch statistics, noise)
  bool mixed = false;           // they do so in evaluation, too
  double tolerance_f32 = 2e-5;  // of single against double precision, relative to the largest magnitude
  std::vector<Rejection> rejects = {};
};

struct CheckOptions {
  std::vector<std::string> handlers = {};  // empty: all that are available here; the first of f64 is what others are
                                           // compared with
  std::function<std::shared_ptr<Handler>(const std::string&)> make = {};  // a handler of a name; empty: make_handler
  std::vector<std::pair<Index, Index>> sizes = {{1, 1}, {4, 1}, {2, 3}, {1, 3}};  // time, batch
  std::vector<std::string> only = {};  // names of properties ("L1"); empty: all
};

// Runs all properties; gives one line for everything that does not hold. The catalog gets the harness's own layer
// WeightedSum.
//   L1   inputs and parameters: deltas and gradients against finite differences in double precision; where a layer
//        carries a context, from one of zeros and from another
//   L2   Overwrite ignores what was there, Add adds
//   L3   nothing depends on memory that was not written in this pass
//   L4   forward leaves inputs and parameters alone, backward outputs too
//   L5   nothing is written beside a buffer
//   L6   Compact and Inspectable memory give the same bits
//   L7   all handlers agree
//   L8   a batch of 4 is two batches of 2
//   L9   the same seed gives the same bits
//   L10  steps after the first allocate nothing
//   L11  description and layer are one; unknown options and wrong types are refused
//   L12  inputs that are missing or do not fit are refused with names and shapes
//   L13  one source for two inputs, unused outputs, deltas nobody needs, single heads
std::vector<std::string> check_layer(const LayerCase& layer_case, Catalog& catalog, const CheckOptions& options = {});

// WeightedSum: loss = sum of input times weights, so that the delta of its input is the weights. For graphs of tests.
void register_weighted_sum(Catalog& catalog);

}  // namespace squall::testing
