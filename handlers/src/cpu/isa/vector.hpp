// Vectors of the width of the instruction set, as GCC and clang have them. Templates here are named in the namespace of
// the instruction set, so that copies compiled for different ones are different functions.
#pragma once

#include <cstdint>

#if defined(SQUALL_ISA_avx512) || defined(SQUALL_ISA_avx2)
#include <immintrin.h>
#endif

#include "cpu/kernels.hpp"

#define SQUALL_ALWAYS [[gnu::always_inline]] inline

namespace squall::cpu::SQUALL_ISA {

#if defined(SQUALL_ISA_avx512)
inline constexpr int kVectorBytes = 64;
#elif defined(SQUALL_ISA_avx2)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

template <class R>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(R));

template <class R, int N>
struct VectorOf {
  typedef R Type __attribute__((vector_size(N * sizeof(R))));
  typedef R InMemory __attribute__((vector_size(N * sizeof(R)), aligned(alignof(R)), may_alias));
};
template <class R, int N = kLanes<R>>
using Vector = typename VectorOf<R, N>::Type;

template <class R, int N = kLanes<R>>
SQUALL_ALWAYS Vector<R, N> load(const R* p) {
  return *reinterpret_cast<const typename VectorOf<R, N>::InMemory*>(p);
}
template <class R, int N = kLanes<R>>
SQUALL_ALWAYS void store(R* p, Vector<R, N> v) {
  *reinterpret_cast<typename VectorOf<R, N>::InMemory*>(p) = v;
}

template <int... I>
struct Numbers {};
template <int N, int... I>
struct UpTo : UpTo<N - 1, N - 1, I...> {};
template <int... I>
struct UpTo<0, I...> {
  using Type = Numbers<I...>;
};

// a0 b0 a1 b1 ... of the lower and of the upper halves.
template <class V, int... I>
SQUALL_ALWAYS V zip_low(V a, V b, Numbers<I...>) {
  constexpr int n = sizeof...(I);
  return __builtin_shufflevector(a, b, (I % 2 == 0 ? I / 2 : n + I / 2)...);
}
template <class V, int... I>
SQUALL_ALWAYS V zip_high(V a, V b, Numbers<I...>) {
  constexpr int n = sizeof...(I);
  return __builtin_shufflevector(a, b, (I % 2 == 0 ? n / 2 + I / 2 : n + n / 2 + I / 2)...);
}

// Transposes N vectors of N lanes in place: log2 N perfect shuffles.
template <class R, int N>
SQUALL_ALWAYS void transpose(Vector<R, N> (&v)[N]) {
  using Lanes = typename UpTo<N>::Type;
#pragma GCC unroll 8
  for (int step = 1; step < N; step *= 2) {
    Vector<R, N> w[N];
#pragma GCC unroll 16
    for (int i = 0; i < N / 2; ++i) {
      w[2 * i] = zip_low(v[i], v[i + N / 2], Lanes{});
      w[2 * i + 1] = zip_high(v[i], v[i + N / 2], Lanes{});
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) v[i] = w[i];
  }
}

// Lane l of the result: the sum of all lanes of v[l].
template <class R, int N>
SQUALL_ALWAYS Vector<R, N> sums_of_each(Vector<R, N> (&v)[N]) {
  using Lanes = typename UpTo<N>::Type;
#pragma GCC unroll 8
  for (int left = N; left > 1; left /= 2) {
#pragma GCC unroll 16
    for (int i = 0; i < left / 2; ++i)
      v[i] = zip_low(v[i], v[i + left / 2], Lanes{}) + zip_high(v[i], v[i + left / 2], Lanes{});
  }
  return v[0];
}

// x[column[0]], x[column[1]], ...
template <class R, class Column>
SQUALL_ALWAYS Vector<R> gather(const R* x, const Column* column) {
  Vector<R> v = {};
  for (int i = 0; i < kLanes<R>; ++i) v[i] = x[column[i]];
  return v;
}
#if defined(SQUALL_ISA_avx512)
// The masked forms, because the plain ones read a register that GCC 12 thinks is not set.
SQUALL_ALWAYS Vector<float> gather(const float* x, const std::int32_t* column) {
  return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xFFFF, _mm512_loadu_si512(column), x, 4);
}
SQUALL_ALWAYS Vector<float> gather(const float* x, const std::uint16_t* column) {
  const __m256i narrow = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(column));
  return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xFFFF, _mm512_maskz_cvtepu16_epi32(0xFFFF, narrow), x, 4);
}
#elif defined(SQUALL_ISA_avx2)
SQUALL_ALWAYS Vector<float> gather(const float* x, const std::int32_t* column) {
  return _mm256_i32gather_ps(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(column)), 4);
}
SQUALL_ALWAYS Vector<float> gather(const float* x, const std::uint16_t* column) {
  const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i*>(column));
  return _mm256_i32gather_ps(x, _mm256_cvtepu16_epi32(narrow), 4);
}
#endif

}  // namespace squall::cpu::SQUALL_ISA
