// A handler is one device with one dtype for real numbers and one order of execution. It computes only through its
// facets: three elementary ones every backend implements, and planned ones with reference plans built from those.
// Not thread-safe: one thread drives one handler.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "squall/core/dtype.hpp"
#include "squall/core/plan.hpp"

namespace squall {

class MemoryOps;
class ElementwiseOps;
class LinalgOps;
class WindowOps;
class RandomOps;
class DenseOps;
class ConvOps;
class PoolOps;
class NormOps;
class RecurrentOps;
class AttentionOps;
class EmbeddingOps;
class LossOps;
class CriteriaOps;
class OptimOps;
class Handler;

// Base of all facets: knows the handler it belongs to and the guard of debug handlers.
class Facet {
 public:
  virtual ~Facet() = default;
  void attach(Handler& owner, OpGuard* guard) {
    handler_ = &owner;
    guard_ = guard;
  }

 protected:
  Handler& handler() const { return *handler_; }
  OpGuard* op_guard() const { return guard_; }
  void guard(std::string_view op, const ConstMatrix& result) const {
    if (guard_ != nullptr && is_real(result.dtype)) guard_->after(op, result);
  }

 private:
  Handler* handler_ = nullptr;
  OpGuard* guard_ = nullptr;
};

struct Facets {
  Facets();
  ~Facets();
  Facets(Facets&&) noexcept;
  std::unique_ptr<MemoryOps> memory;
  std::unique_ptr<ElementwiseOps> elementwise;
  std::unique_ptr<LinalgOps> linalg;
  std::unique_ptr<WindowOps> windows;
  std::unique_ptr<RandomOps> random;
  std::unique_ptr<DenseOps> dense;
  std::unique_ptr<ConvOps> conv;
  std::unique_ptr<PoolOps> pool;
  std::unique_ptr<NormOps> norm;
  std::unique_ptr<RecurrentOps> recurrent;
  std::unique_ptr<AttentionOps> attention;
  std::unique_ptr<EmbeddingOps> embedding;
  std::unique_ptr<LossOps> loss;
  std::unique_ptr<CriteriaOps> criteria;
  std::unique_ptr<OptimOps> optim;
};

struct Device {
  enum class Kind : std::uint8_t { Cpu, Cuda };
  Kind kind = Kind::Cpu;
  int index = 0;
};

// A recorded step that can be run again.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual void run() = 0;
};

class Handler {
 public:
  // `name` is the full one ("cpu:f32", "debug:cpu:f64"); a debug handler checks every result.
  Handler(std::string name, DType dtype, Device device, Facets facets, bool debug);
  virtual ~Handler();
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  const std::string& name() const { return name_; }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }
  bool debug() const { return guard_ != nullptr; }

  MemoryOps& memory() const { return *facets_.memory; }
  ElementwiseOps& elementwise() const { return *facets_.elementwise; }
  LinalgOps& linalg() const { return *facets_.linalg; }
  WindowOps& windows() const { return *facets_.windows; }
  RandomOps& random() const { return *facets_.random; }
  DenseOps& dense() const { return *facets_.dense; }
  ConvOps& conv() const { return *facets_.conv; }
  PoolOps& pool() const { return *facets_.pool; }
  NormOps& norm() const { return *facets_.norm; }
  RecurrentOps& recurrent() const { return *facets_.recurrent; }
  AttentionOps& attention() const { return *facets_.attention; }
  EmbeddingOps& embedding() const { return *facets_.embedding; }
  LossOps& loss() const { return *facets_.loss; }
  CriteriaOps& criteria() const { return *facets_.criteria; }
  OptimOps& optim() const { return *facets_.optim; }

  // Waits until everything issued has been done.
  virtual void synchronize() {}
  // Records a step for replay; the default keeps the closure and calls it.
  virtual std::unique_ptr<Executable> capture(std::function<void()> step);

 private:
  std::string name_;
  DType dtype_;
  Device device_;
  Facets facets_;
  std::unique_ptr<OpGuard> guard_;
};

}  // namespace squall
