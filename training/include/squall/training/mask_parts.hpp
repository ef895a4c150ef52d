// The parts of choosing masks, each with an @type of its own: what ranks weights (score), which may be taken (eligible)
// and how many each tensor gets (share). Over what a share is counted is Quota (selection.hpp).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "squall/core/catalog.hpp"
#include "squall/core/json.hpp"

namespace squall {

// What is summed over training batches for a score.
enum class Gathered : std::uint8_t {
  Nothing,
  Gradients,          // of the whole, as one batch would give
  AbsoluteGradients,  // of each batch
  SquaredGradients,   // of each batch
  SquaredInputs       // of the layer, per column of the weights
};

struct ScoreInput {
  std::span<const double> weights;   // the tensor or slice, (rows, columns)
  std::span<const double> gathered;  // as many, or one per column for SquaredInputs
  Index rows = 1, columns = 0;
  std::uint64_t seed = 0;
  std::string_view stream;  // of random numbers: the tensor's name
};

// Higher is kept.
class WeightScore : public Describable {
 public:
  static constexpr std::string_view kFamily = "score";
  virtual Gathered gathers() const { return Gathered::Nothing; }
  virtual std::vector<double> of(const ScoreInput& in) const = 0;
};

// Which weights of a tensor with slices a task may take.
class EligibleWeights : public Describable {
 public:
  static constexpr std::string_view kFamily = "eligible";
  virtual bool exclusive() const { return true; }       // only what no other slice owns
  virtual bool fair() const { return false; }           // a task takes at most its part of the tensor
  virtual bool reads_earlier() const { return false; }  // a task reads what those before it own, too
};

struct SharedTensor {
  std::string name;  // "hidden_1.W"
  Shape shape;       // of a slice: (units, kernel..., inputs)
  bool bias = false;
};

// How sparse each tensor becomes.
class Share : public Describable {
 public:
  static constexpr std::string_view kFamily = "share";
  // Percent pruned, one per tensor, so that all together lose about `sparsity` percent.
  virtual std::vector<double> sparsities(std::span<const SharedTensor> tensors, double sparsity) const = 0;
};

// A part by its name ("magnitude") or as an object with @type and options.
template <class Part>
std::unique_ptr<Part> make_part(const json& j, std::string_view where, const Catalog& catalog, Problems& problems) {
  return catalog.of<Part>().make(j.is_string() ? json{{"@type", j}} : j, where, catalog, problems);
}
template <class Part>
std::unique_ptr<Part> make_part(const json& j, std::string_view where, const Catalog& catalog) {
  return catalog.of<Part>().make(j.is_string() ? json{{"@type", j}} : j, where, catalog);
}

}  // namespace squall
