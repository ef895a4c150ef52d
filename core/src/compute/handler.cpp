#include "squall/core/handler.hpp"

#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/conv.hpp"
#include "squall/core/ops/criteria.hpp"
#include "squall/core/ops/dense.hpp"
#include "squall/core/ops/elementwise.hpp"
#include "squall/core/ops/embedding.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/ops/random.hpp"
#include "squall/core/ops/recurrent.hpp"
#include "squall/core/ops/windows.hpp"

namespace squall {

namespace {

// Asks the handler itself whether a result is finite; that question is not guarded, so nothing recurses.
class FiniteGuard final : public OpGuard {
 public:
  explicit FiniteGuard(ElementwiseOps& elementwise) : elementwise_(elementwise) {}
  void after(std::string_view op, const ConstMatrix& result) override {
    if (!elementwise_.all_finite(result)) raise<NumericError>(op, ": result holds NaN or infinity");
  }

 private:
  ElementwiseOps& elementwise_;
};

class Closure final : public Executable {
 public:
  explicit Closure(std::function<void()> step) : step_(std::move(step)) {}
  void run() override { step_(); }

 private:
  std::function<void()> step_;
};

template <class Ops>
void attach(const std::unique_ptr<Ops>& facet, std::string_view what, Handler& owner, OpGuard* guard) {
  if (!facet) raise<DeviceError>("handler ", owner.name(), " has no ", what, " operations");
  facet->attach(owner, guard);
}

}  // namespace

Facets::Facets() = default;
Facets::~Facets() = default;
Facets::Facets(Facets&&) noexcept = default;

Handler::Handler(std::string name, DType dtype, Device device, Facets facets, bool debug)
    : name_(std::move(name)), dtype_(dtype), device_(device), facets_(std::move(facets)) {
  if (!is_real(dtype_)) raise<DeviceError>("handler ", name_, " cannot compute in ", squall::name_of(dtype_));
  if (debug && facets_.elementwise) guard_ = std::make_unique<FiniteGuard>(*facets_.elementwise);
  attach(facets_.memory, "memory", *this, guard_.get());
  attach(facets_.elementwise, "elementwise", *this, guard_.get());
  attach(facets_.linalg, "matrix", *this, guard_.get());
  attach(facets_.windows, "window", *this, guard_.get());
  attach(facets_.random, "random", *this, guard_.get());
  attach(facets_.dense, "dense", *this, guard_.get());
  attach(facets_.conv, "convolution", *this, guard_.get());
  attach(facets_.pool, "pooling", *this, guard_.get());
  attach(facets_.norm, "normalisation", *this, guard_.get());
  attach(facets_.recurrent, "recurrent", *this, guard_.get());
  attach(facets_.attention, "attention", *this, guard_.get());
  attach(facets_.embedding, "embedding", *this, guard_.get());
  attach(facets_.loss, "loss", *this, guard_.get());
  attach(facets_.criteria, "criterion", *this, guard_.get());
  attach(facets_.optim, "update", *this, guard_.get());
}

Handler::~Handler() = default;

std::unique_ptr<Executable> Handler::capture(std::function<void()> step) {
  return std::make_unique<Closure>(std::move(step));
}

}  // namespace squall
