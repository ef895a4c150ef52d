// Recurrent plans of the CPU.
#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

template <class R>
class CpuRecurrent final : public RecurrentOps {
 public:
  explicit CpuRecurrent(ContextPtr<R> ctx) : ctx_(std::move(ctx)) {}

 private:
  ContextPtr<R> ctx_;
};

}  // namespace

template <class R>
std::unique_ptr<RecurrentOps> make_recurrent(ContextPtr<R> ctx) {
  return std::make_unique<CpuRecurrent<R>>(std::move(ctx));
}
SQUALL_CPU_MAKER(RecurrentOps, make_recurrent);

}  // namespace squall::cpu
