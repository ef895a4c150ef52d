#include "cpu/handler.hpp"

#include "cpu/facets.hpp"

namespace squall::cpu {

namespace {

template <class R>
Facets make_facets(const ContextPtr<R>& ctx) {
  Facets f;
  f.memory = make_memory(ctx->parallel());
  f.elementwise = make_elementwise<R>(ctx);
  f.linalg = make_linalg<R>(ctx);
  f.windows = make_windows<R>(ctx);
  f.random = make_random<R>(ctx);
  f.dense = make_dense<R>(ctx);
  f.conv = make_conv<R>(ctx);
  f.pool = make_pool<R>(ctx);
  f.norm = make_norm<R>(ctx);
  f.recurrent = make_recurrent<R>(ctx);
  f.attention = make_attention<R>(ctx);
  f.embedding = make_embedding<R>(ctx);
  f.loss = make_loss<R>(ctx);
  f.criteria = make_criteria<R>(ctx);
  f.optim = make_optim<R>(ctx);
  return f;
}

template <class R>
std::shared_ptr<Handler> make(std::string name, int threads, bool debug) {
  const auto ctx = std::make_shared<const Context<R>>(threads, choose_isa());
  return std::make_shared<Handler>(std::move(name), dtype_of<R>, Device{}, make_facets<R>(ctx), debug);
}

}  // namespace

std::shared_ptr<Handler> make_cpu_handler(std::string name, DType dtype, int threads, bool debug) {
  return dtype == DType::F64 ? make<double>(std::move(name), threads, debug)
                             : make<float>(std::move(name), threads, debug);
}

std::vector<std::string> cpu_report() {
  std::vector<std::string> usable;
  for (Isa isa : usable_isas()) usable.emplace_back(name_of(isa));
  std::string names;
  for (const auto& name : usable) names += (names.empty() ? "" : ", ") + name;
  const Isa isa = choose_isa();
  const Context<float> ctx(0, isa);
  return {concat("cpu kernels: ", name_of(isa), " (usable here: ", names, "; SQUALL_ISA chooses)"),
          concat("cpu threads: ", ctx.parallel().threads(), " (OpenMP)"),
          concat("cpu matrix products: ", ctx.describe_products(), " (SQUALL_BLAS=own or openblas chooses)"),
          blas().report()};
}

}  // namespace squall::cpu
