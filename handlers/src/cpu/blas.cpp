#include "cpu/blas.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "cpu/isa.hpp"
#include "squall/core/error.hpp"

namespace squall::cpu {

namespace {

constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

template <class F>
F* symbol(void* library, const char* name) {
  return reinterpret_cast<F*>(dlsym(library, name));
}

// Says which kernels to use before the library looks at the processor itself. What the user has set stays.
void choose_kernels() {
  const Isa best = usable_isas().back();
  if (best == Isa::Avx512) setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
  if (best == Isa::Avx2) setenv("OPENBLAS_CORETYPE", "Haswell", 0);
  setenv("OPENBLAS_NUM_THREADS", "1", 0);
}

void* open_first(std::string& path) {
  for (const char* candidate : {SQUALL_OPENBLAS_HINT, "libopenblas.so.0", "libopenblas.so"}) {
    if (*candidate == '\0') continue;
    path = candidate;
    if (void* library = dlopen(candidate, RTLD_NOW | RTLD_LOCAL)) return library;
  }
  return nullptr;
}

template <class R, class F>
void call_gemm(F* f, const GemmCall<R>& c) {
  const bool ta = c.a_col != 1;
  const bool tb = c.b_col != 1;
  // A matrix of one row or column may have any stride; the library wants one that is large enough.
  const auto lda = std::max({ta ? c.a_col : c.a_row, ta ? c.m : c.k, Count{1}});
  const auto ldb = std::max({tb ? c.b_col : c.b_row, tb ? c.k : c.n, Count{1}});
  f(kRowMajor, ta ? kTranspose : kNoTranspose, tb ? kTranspose : kNoTranspose, static_cast<int>(c.m),
    static_cast<int>(c.n), static_cast<int>(c.k), R(1), c.a, static_cast<int>(lda), c.b, static_cast<int>(ldb),
    c.add ? R(1) : R(0), c.c, static_cast<int>(std::max(c.ldc, c.n)));
}

}  // namespace

Blas::Blas() { open(); }

void Blas::open() {
  choose_kernels();
  std::string path;
  void* library = open_first(path);
  if (library == nullptr) {
    const char* why = dlerror();
    report_ = concat("OpenBLAS: not found (", why != nullptr ? why : "no reason given", "); own kernels are used");
    return;
  }
  if (auto* set_threads = symbol<void(int)>(library, "openblas_set_num_threads")) set_threads(1);
  auto* core_name = symbol<char*()>(library, "openblas_get_corename");
  const std::string_view core = core_name != nullptr ? core_name() : "unknown";
  const bool wide = usable_isas().back() != Isa::Portable;
  if (wide && (core == "Prescott" || core == "Generic" || core == "Nehalem")) {
    report_ =
        concat("OpenBLAS: ", path, " uses its ", core, " kernels, too slow for this processor; own kernels are used");
    return;
  }
  if (auto* config = symbol<char*()>(library, "openblas_get_config"))
    one_caller_ = std::string_view(config()).find("SINGLE_THREADED") != std::string_view::npos;
  sgemm_ = symbol<Sgemm>(library, "cblas_sgemm");
  dgemm_ = symbol<Dgemm>(library, "cblas_dgemm");
  report_ = usable() ? concat("OpenBLAS: ", path, ", kernels ", core, ", one thread in each tile")
                     : concat("OpenBLAS: ", path, " has no cblas_sgemm; own kernels are used");
}

void Blas::gemm(const GemmCall<float>& call) const {
  const auto turn = one_caller_ ? std::unique_lock(caller_) : std::unique_lock<std::mutex>();
  call_gemm(sgemm_, call);
}
void Blas::gemm(const GemmCall<double>& call) const {
  const auto turn = one_caller_ ? std::unique_lock(caller_) : std::unique_lock<std::mutex>();
  call_gemm(dgemm_, call);
}

const Blas& blas() {
  static const Blas opened;
  return opened;
}

}  // namespace squall::cpu
