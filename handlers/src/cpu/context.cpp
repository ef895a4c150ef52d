#include "cpu/context.hpp"

#include <string_view>

#include "cpu/aligned.hpp"

namespace squall::cpu {

namespace {

void* allocate(std::size_t bytes) {
  void* p = std::aligned_alloc(kCacheLine, whole_lines(bytes));
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

enum class Products : std::uint8_t { Chosen, Own, Library };

Products wanted_products() {
  const char* text = std::getenv("SQUALL_BLAS");
  if (text == nullptr || *text == '\0') return Products::Chosen;
  if (std::string_view(text) == "own") return Products::Own;
  if (std::string_view(text) == "openblas") return Products::Library;
  raise<DeviceError>("SQUALL_BLAS=", text, ": should be own or openblas");
}

}  // namespace

template <class R>
Context<R>::Context(int threads, Isa isa) : isa_(isa), kernels_(kernels_of<R>(isa)), parallel_(threads) {
  const Products wanted = wanted_products();
  // With AVX-512 the own kernels are at least as fast for every shape of a tile: the library is not even opened.
  const bool helps = isa != Isa::Avx512;
  if ((wanted == Products::Chosen && helps) || wanted == Products::Library) library_ = &blas();
  if (library_ != nullptr && !library_->usable()) {
    if (wanted == Products::Library) raise<DeviceError>("SQUALL_BLAS=openblas: ", library_->report());
    library_ = nullptr;
  }
  scratch_stride_ = whole_lines(static_cast<std::size_t>(kernels_.gemm_scratch) * sizeof(R));
  scratch_.reset(static_cast<std::byte*>(allocate(scratch_stride_ * static_cast<std::size_t>(parallel_.threads()))));
  const auto shared = static_cast<std::size_t>(kernels_.sequence.pack_depth * kSharedColumns) * sizeof(R);
  shared_.reset(static_cast<R*>(allocate(shared)));
  sums_.reset(static_cast<double*>(allocate(kSums * sizeof(double))));
}

// By shape alone. The library's overhead does not pay for small products.
template <class R>
bool Context<R>::by_library(Index m, Index n, Index k) const {
  if (library_ == nullptr || k == 0) return false;
  constexpr Index kSide = 64, kSmall = 10000;
  if (isa_ == Isa::Avx2) return m >= kSide && n >= kSide && k >= kSide;
  return m * n * k >= kSmall;
}

template <class R>
void Context<R>::multiply(const GemmCall<R>& call, int worker) const {
  if (call.m == 0 || call.n == 0) return;
  const bool overlapping = call.b_col == 1 && call.b_row < call.n;  // rows of b: no library takes such a matrix
  if (!overlapping && by_library(call.m, call.n, call.k)) return library_->gemm(call);
  kernels_.gemm(call, scratch(worker));
}

template <class R>
std::string Context<R>::describe_products() const {
  if (library_ == nullptr) return "own kernels";
  return isa_ == Isa::Avx2 ? "OpenBLAS from 64 x 64 x 64, own kernels below" : "OpenBLAS, own kernels when small";
}

template class Context<float>;
template class Context<double>;

}  // namespace squall::cpu
