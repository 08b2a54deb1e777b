// Vectors of the widest unit that the compiler was told of, and the functions the kernels need.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>
#include <initializer_list>
#include <type_traits>

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
typedef float HalfVector __attribute__((vector_size(vector_bytes / 2)));

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

/// The same value in a register: the compiler must not read it from memory once more for every use.
template <class V>
inline V in_register(V value) {
#if defined(__x86_64__) && defined(__AVX512F__)
  asm("" : "+v"(value));
#elif defined(__x86_64__)
  asm("" : "+x"(value));
#endif
  return value;
}

/// lanes<double> values as doubles.
inline Vector<double> load_wide(const double* from) { return load(from); }
inline Vector<double> load_wide(const float* from) {
  HalfVector value;
  std::memcpy(&value, from, sizeof(value));
  return __builtin_convertvector(value, Vector<double>);
}

/// lanes<Scalar> values as Scalar.
template <class Scalar, class Value>
inline Vector<Scalar> load_as(const Value* from) {
  if constexpr (std::is_same_v<Scalar, Value>) return load(from);
  else return load_wide(from);
}

template <class Scalar>
inline Vector<Scalar> broadcast(Scalar value) {
  return value - Vector<Scalar>{};  // x - 0 is x, also for -0
}
template <class V>
inline V max(V a, V b) {
  return a > b ? a : b;
}

/// 1.5 2^(bits of the fraction): adding it leaves the nearest integer in the low bits.
template <class Scalar>
inline constexpr Scalar rounder = sizeof(Scalar) == 4 ? Scalar(12582912) : Scalar(6755399441055744);

/// The integer nearest to x; for |x| beyond 2^(bits of the fraction - 1) a number within rounding of x.
template <class Scalar>
inline Vector<Scalar> round(Vector<Scalar> x) {
  return (x + rounder<Scalar>)-rounder<Scalar>;
}

/// 2^t for |t| <= 1/2 by its minimax polynomial with value 1 at 0: relative error 2.6e-9 and 1.8e-17.
inline Vector<float> exp2_fraction(Vector<float> t) {
  Vector<float> value = broadcast(1.559467701510541e-4f);
  for (const float coefficient : {1.340664384748006e-3f, 9.617692976143188e-3f, 5.550310551206981e-2f,
                                  2.4022652782876178e-1f, 6.93147214967885e-1f, 1.0f})
    value = value * t + coefficient;
  return value;
}
inline Vector<double> exp2_fraction(Vector<double> t) {
  Vector<double> value = broadcast(4.0780717860928705e-10);
  for (const double coefficient :
       {7.072570394540799e-9, 1.0180647660573069e-7, 1.3215442675452854e-6, 1.5252727385189775e-5, 1.540353044157185e-4,
        1.333355815343997e-3, 9.618129107607003e-3, 5.550410866479039e-2, 2.4022650695910097e-1, 6.931471805599457e-1,
        1.0})
    value = value * t + coefficient;
  return value;
}

/// 2^x for x <= 100, say; relative error a few units in the last place, 0 near and below the smallest normal number.
template <class Scalar>
inline Vector<Scalar> exp2_small(Vector<Scalar> x) {
  constexpr int fraction_bits = sizeof(Scalar) == 4 ? 23 : 52;
  const Vector<Scalar> biased = x + rounder<Scalar>;
  const Vector<Scalar> value = exp2_fraction(x - (biased - rounder<Scalar>));
  // The integer part sits in the low bits of `biased`; shifted up it is added to the exponent. Unsigned, because
  // the lanes below `smallest` wrap around.
  typedef std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t> Bits
      __attribute__((vector_size(vector_bytes)));
  const Bits bits = reinterpret_cast<Bits>(value) + (reinterpret_cast<Bits>(biased) << fraction_bits);
  constexpr Scalar smallest = sizeof(Scalar) == 4 ? Scalar(-125) : Scalar(-1021);
  return x < smallest ? Vector<Scalar>{} : reinterpret_cast<Vector<Scalar>>(bits);
}

/// log x for positive normal x: x = 2^n m with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)).
inline Vector<double> log_positive(Vector<double> x) {
  constexpr std::int64_t root_half = 0x3fe6a09e667f3bcd;
  const auto bits = reinterpret_cast<IntegerVector<double>>(x);
  const IntegerVector<double> exponent = (bits - root_half) >> 52;
  const auto m = reinterpret_cast<Vector<double>>(bits - (exponent << 52));
  const Vector<double> n = reinterpret_cast<Vector<double>>(exponent + 0x4338000000000000) - rounder<double>;
  const Vector<double> s = (m - 1.0) / (m + 1.0), z = s * s;
  Vector<double> series = broadcast(2.0 / 19.0);
  for (const double odd : {17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0}) series = series * z + 2.0 / odd;
  return n * 0.693147180559945309417 + s * series;
}

/// Element of u followed by v that `pair_sums` puts at place `at`: those whose bit `width` is as `high` says, of u
/// before v; in groups of 16 bytes where the width is below that, as the shuffle instructions want it.
template <class Scalar, int width, bool high>
constexpr int paired_element(int at) {
  constexpr int per_lane = 16 / static_cast<int>(sizeof(Scalar));
  constexpr int group = width >= per_lane ? lanes<Scalar> : per_lane;
  const int start = at / group * group, place = at % group, nth = place % (group / 2);
  return start + nth / width * 2 * width + nth % width + (high ? width : 0) + (place >= group / 2 ? lanes<Scalar> : 0);
}

/// One step of many lane sums: the halves of u's and v's groups of 2 width lanes are added, u's and v's side by side.
template <class Scalar, int width, int... at>
inline Vector<Scalar> pair_sums(Vector<Scalar> u, Vector<Scalar> v, std::integer_sequence<int, at...>) {
  return __builtin_shufflevector(u, v, paired_element<Scalar, width, false>(at)...) +
         __builtin_shufflevector(u, v, paired_element<Scalar, width, true>(at)...);
}

/// Sums of the lanes of `count` vectors, lanes<Scalar> of them in a vector of `sums`, at the places `lane_of_sum`.
template <class Scalar, int count, int width = lanes<Scalar> / 2>
inline void lane_sums(const Vector<Scalar> (&values)[count], Scalar* sums) {
  constexpr int half = (count + 1) / 2;
  Vector<Scalar> paired[half];
  for (int i = 0; i < half; ++i)
    paired[i] = pair_sums<Scalar, width>(values[2 * i], 2 * i + 1 < count ? values[2 * i + 1] : Vector<Scalar>{},
                                         std::make_integer_sequence<int, lanes<Scalar>>{});
  if constexpr (width > 1) {
    lane_sums<Scalar, half, width / 2>(paired, sums);
  } else {
    for (int i = 0; i < half; ++i) store<Scalar>(paired[i], sums + i * lanes<Scalar>);
  }
}
template <class Scalar>
constexpr int lane_of_sum(int index) {
  constexpr int per_lane = 16 / static_cast<int>(sizeof(Scalar)), groups = lanes<Scalar> / per_lane;
  const int within = index % lanes<Scalar>;
  return index - within + within % groups * per_lane + within / groups;
}

/// sums[i] += values[i] scale as an integer (towards zero), `count` a multiple of lanes<double>.
template <class Scalar>
inline void add_fixed(const Scalar* values, int count, double scale, std::int64_t* sums) {
  for (int i = 0; i < count; i += lanes<double>) {
    IntegerVector<double> sum;
    std::memcpy(&sum, sums + i, sizeof(sum));
    sum += __builtin_convertvector(load_wide(values + i) * scale, IntegerVector<double>);
    std::memcpy(sums + i, &sum, sizeof(sum));
  }
}

/// Numbers below the smallest normal one are zero within its scope: they would cost hundreds of cycles on some CPUs.
class FlushDenormals {
 public:
#ifdef __SSE2__
  FlushDenormals() : saved_(__builtin_ia32_stmxcsr()) { __builtin_ia32_ldmxcsr(saved_ | 0x8040u); }
  ~FlushDenormals() { __builtin_ia32_ldmxcsr(saved_); }
#else
  FlushDenormals() {}
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_ = 0;
};

}  // namespace thalweg::simd
