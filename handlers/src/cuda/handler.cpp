#include "cuda/handler.hpp"

#include "squall/core/ops/attention.hpp"
#include "squall/core/ops/criteria.hpp"
#include "squall/core/ops/embedding.hpp"
#include "squall/core/ops/linalg.hpp"
#include "squall/core/ops/loss.hpp"
#include "squall/core/ops/memory.hpp"
#include "squall/core/ops/norm.hpp"
#include "squall/core/ops/optim.hpp"
#include "squall/core/ops/random.hpp"
#include "squall/core/ops/recurrent.hpp"

namespace squall::cuda {

namespace {

class RecordedStep final : public Executable {
 public:
  RecordedStep(ContextPtr context, std::function<void()> step)
      : context_(std::move(context)), tape_(context_->tape()), recorder_(*tape_), step_(std::move(step)) {}
  void run() override {
    if (context_->recorder() != nullptr) return step_();  // part of a step that is recorded
    const Active active(*context_, recorder_);
    recorder_.run(step_);
  }

 private:
  struct Active {
    Active(Context& c, Recorder& r) : context(c) { context.set_recorder(&r); }
    ~Active() { context.set_recorder(nullptr); }
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;
    Context& context;
  };
  ContextPtr context_;
  std::unique_ptr<Tape> tape_;
  Recorder recorder_;
  std::function<void()> step_;
};

class ContextHandler final : public Handler {
 public:
  ContextHandler(std::string name, Device device, Facets facets, ContextPtr context, bool debug)
      : Handler(std::move(name), context->dtype(), device, std::move(facets), debug), context_(std::move(context)) {}
  void synchronize() override { context_->wait(); }
  // A debug handler looks at every result while a step runs: it has nothing to record.
  std::unique_ptr<Executable> capture(std::function<void()> step) override {
    if (debug()) return Handler::capture(std::move(step));
    return std::make_unique<RecordedStep>(context_, std::move(step));
  }

 private:
  ContextPtr context_;
};

}  // namespace

std::shared_ptr<Handler> make_context_handler(std::string name, Device device, Facets facets, ContextPtr context,
                                              bool debug) {
  return std::make_shared<ContextHandler>(std::move(name), device, std::move(facets), std::move(context), debug);
}

}  // namespace squall::cuda
