// Comparisons of vectors as bits.
#pragma once

#include "kernels/simd.hpp"

#ifdef __AVX__
#include <immintrin.h>
#endif

namespace thalweg::simd {

/// Bit i is set where a[i] <= b[i].
inline std::uint64_t lanes_at_most(Vector<float> a, Vector<float> b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), _CMP_LE_OQ);
#elif defined(__AVX__)
  return static_cast<std::uint64_t>(
      _mm256_movemask_ps(_mm256_cmp_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), _CMP_LE_OQ)));
#else
  std::uint64_t bits = 0;
  for (int i = 0; i < lanes<float>; ++i) bits |= std::uint64_t{a[i] <= b[i]} << i;
  return bits;
#endif
}
inline std::uint64_t lanes_at_most(Vector<double> a, Vector<double> b) {
#if defined(__AVX512F__)
  return _mm512_cmp_pd_mask(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b), _CMP_LE_OQ);
#elif defined(__AVX__)
  return static_cast<std::uint64_t>(
      _mm256_movemask_pd(_mm256_cmp_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b), _CMP_LE_OQ)));
#else
  std::uint64_t bits = 0;
  for (int i = 0; i < lanes<double>; ++i) bits |= std::uint64_t{a[i] <= b[i]} << i;
  return bits;
#endif
}

}  // namespace thalweg::simd
