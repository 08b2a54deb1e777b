// Vectors of the widest unit that the compiler was told of, and the two functions the kernels need.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace thalweg::simd {

#ifdef __AVX512F__
inline constexpr int vector_bytes = 64;
#else
inline constexpr int vector_bytes = 32;
#endif

template <class Scalar>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float Type __attribute__((vector_size(vector_bytes)));
  typedef std::int32_t Integer __attribute__((vector_size(vector_bytes)));
};
template <>
struct VectorOf<double> {
  typedef double Type __attribute__((vector_size(vector_bytes)));
  typedef std::int64_t Integer __attribute__((vector_size(vector_bytes)));
};

template <class Scalar>
using Vector = typename VectorOf<Scalar>::Type;
template <class Scalar>
using IntegerVector = typename VectorOf<Scalar>::Integer;
template <class Scalar>
inline constexpr int lanes = vector_bytes / static_cast<int>(sizeof(Scalar));

template <class Scalar>
inline Vector<Scalar> load(const Scalar* from) {
  Vector<Scalar> value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}
template <class Scalar>
inline void store(Vector<Scalar> value, Scalar* to) {
  std::memcpy(to, &value, sizeof(value));
}
template <class Scalar>
inline Vector<Scalar> broadcast(Scalar value) {
  return Vector<Scalar>{} + value;
}
template <class V>
inline V max(V a, V b) {
  return a > b ? a : b;
}

/// Pairwise sum of the lanes.
template <class Scalar>
inline Scalar sum(Vector<Scalar> value) {
  Scalar parts[lanes<Scalar>];
  store<Scalar>(value, parts);
  for (int width = lanes<Scalar> / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) parts[i] += parts[i + width];
  return parts[0];
}

/// (value - shift) + dual, formed in double.
inline Vector<double> add_shifted(Vector<double> value, Vector<double> shift, double dual) {
  return (value - shift) + dual;
}
inline Vector<float> add_shifted(Vector<float> value, Vector<float> shift, double dual) {
  constexpr int half = lanes<double>;
  typedef float HalfVector __attribute__((vector_size(vector_bytes / 2)));
  Vector<float> result;
  for (int part = 0; part < 2; ++part) {
    HalfVector v, s;
    std::memcpy(&v, reinterpret_cast<const float*>(&value) + part * half, sizeof(v));
    std::memcpy(&s, reinterpret_cast<const float*>(&shift) + part * half, sizeof(s));
    const Vector<double> sum = (__builtin_convertvector(v, Vector<double>) - __builtin_convertvector(s, Vector<double>)) + dual;
    const HalfVector narrow = __builtin_convertvector(sum, HalfVector);
    std::memcpy(reinterpret_cast<float*>(&result) + part * half, &narrow, sizeof(narrow));
  }
  return result;
}

/// exp(x) for x <= 1, say; relative error a few units in the last place, 0 below the smallest normal number.
///
/// x = n log 2 + t with |t| <= log(2) / 2, exp(t) by its Taylor polynomial (degree 7 for float, 13 for
/// double: remainders 1e-8 and 4e-18), 2^n by the exponent field.
inline Vector<float> exp_small(Vector<float> x) {
  const Vector<float> shifter = broadcast(12582912.0f);  // 1.5 2^23: adding it rounds to an integer
  const Vector<float> biased = x * 1.44269504088896f + shifter;
  const Vector<float> n = biased - shifter;
  Vector<float> t = x - n * 0.693359375f;
  t = t - n * -2.12194440054690583e-4f;
  Vector<float> value = broadcast(1.0f / 5040.0f);
  for (const float coefficient : {1.0f / 720.0f, 1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f, 1.0f, 1.0f})
    value = value * t + coefficient;
  const IntegerVector<float> exponent = (reinterpret_cast<IntegerVector<float>>(biased) << 23) + 0x3f800000;
  const Vector<float> result = value * reinterpret_cast<Vector<float>>(exponent);
  return x < -87.0f ? Vector<float>{} : result;
}
inline Vector<double> exp_small(Vector<double> x) {
  const Vector<double> shifter = broadcast(6755399441055744.0);  // 1.5 2^52
  const Vector<double> biased = x * 1.4426950408889634074 + shifter;
  const Vector<double> n = biased - shifter;
  Vector<double> t = x - n * 6.93145751953125e-1;
  t = t - n * 1.42860682030941723212e-6;
  Vector<double> value = broadcast(1.0 / 6227020800.0);
  for (const double coefficient : {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
                                   1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0})
    value = value * t + coefficient;
  const IntegerVector<double> exponent = (reinterpret_cast<IntegerVector<double>>(biased) << 52) + 0x3ff0000000000000;
  const Vector<double> result = value * reinterpret_cast<Vector<double>>(exponent);
  return x < -708.0 ? Vector<double>{} : result;
}

}  // namespace thalweg::simd
