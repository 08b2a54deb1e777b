// 2^x of any x for the pair kernels: what it costs decides their speed beside the dot products.
#pragma once

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <limits>

#include "kernels/simd.hpp"

namespace thalweg::simd {

/// 2^t for |t| <= 1/2: relative error 1.4e-7 in float (degree 5, value 1 at 0); double as exp2_fraction.
inline Vector<float> exp2_fraction_fast(Vector<float> t) {
  Vector<float> value = broadcast(1.3276471979e-3f);
  for (const float coefficient : {9.6755413342e-3f, 5.5507132735e-2f, 2.4022119724e-1f, 6.9314696706e-1f, 1.0f})
    value = value * t + coefficient;
  return value;
}
inline Vector<double> exp2_fraction_fast(Vector<double> t) { return exp2_fraction(t); }

#ifdef __AVX512DQ__
// The forms with a mask, all of it set: the plain ones read an undefined value, of which g++ 12 warns.
inline constexpr __mmask16 all_floats = 0xffff;
inline constexpr __mmask8 all_doubles = 0xff;
inline Vector<float> round_to_integer(Vector<float> x) { return _mm512_maskz_roundscale_ps(all_floats, x, 8); }
inline Vector<double> round_to_integer(Vector<double> x) { return _mm512_maskz_roundscale_pd(all_doubles, x, 8); }
inline Vector<float> times_power(Vector<float> value, Vector<float> k) {
  return _mm512_maskz_scalef_ps(all_floats, value, k);
}
inline Vector<double> times_power(Vector<double> value, Vector<double> k) {
  return _mm512_maskz_scalef_pd(all_doubles, value, k);
}
inline Vector<float> sqrt(Vector<float> x) { return _mm512_maskz_sqrt_ps(all_floats, x); }
inline Vector<double> sqrt(Vector<double> x) { return _mm512_maskz_sqrt_pd(all_doubles, x); }

/// 2^x: 0 far below and infinity above the range of normal numbers, NaN for NaN.
template <class Scalar>
inline Vector<Scalar> exp2(Vector<Scalar> x) {
  const Vector<Scalar> k = round_to_integer(x);
  return times_power(exp2_fraction_fast(x - k), k);
}
#else
inline Vector<float> sqrt(Vector<float> x) {
  for (int i = 0; i < lanes<float>; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
inline Vector<double> sqrt(Vector<double> x) {
  for (int i = 0; i < lanes<double>; ++i) x[i] = __builtin_sqrt(x[i]);
  return x;
}

template <class Scalar>
inline Vector<Scalar> exp2(Vector<Scalar> x) {
  constexpr int fraction_bits = sizeof(Scalar) == 4 ? 23 : 52;
  constexpr Scalar smallest = sizeof(Scalar) == 4 ? Scalar(-125) : Scalar(-1021), largest = -smallest;
  const Vector<Scalar> biased = x + rounder<Scalar>;
  const Vector<Scalar> value = exp2_fraction_fast(x - (biased - rounder<Scalar>));
  typedef std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t> Bits
      __attribute__((vector_size(vector_bytes)));
  const Bits bits = reinterpret_cast<Bits>(value) + (reinterpret_cast<Bits>(biased) << fraction_bits);
  const Vector<Scalar> infinite = broadcast(std::numeric_limits<Scalar>::infinity());
  const Vector<Scalar> bounded = x > largest ? infinite : reinterpret_cast<Vector<Scalar> >(bits);
  return x < smallest ? Vector<Scalar>{} : x == x ? bounded : x;
}
#endif

}  // namespace thalweg::simd
