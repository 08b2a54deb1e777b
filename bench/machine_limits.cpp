#include "bench/machine_limits.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/simd.hpp"

namespace thalweg::bench {

namespace {

/// Best rate of several runs of `body`, which does `operations` of them.
template <class Body>
double best_rate(double operations, Body&& body) {
  using Clock = std::chrono::steady_clock;
  double best = 0.0;
  for (int run = 0; run < 7; ++run) {
    const auto begin = Clock::now();
    body();
    best = std::max(best, operations / std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

/// Keeps a value that nothing else reads.
template <class Value>
void keep(const Value& value) {
  asm volatile("" : : "m"(value) : "memory");
}

}  // namespace

template <class Scalar>
double fma_per_second() {
  using Vector = simd::Vector<Scalar>;
  constexpr int chains = 12, rounds = 500'000;
  Vector sum[chains] = {};
  return best_rate(static_cast<double>(rounds) * chains * simd::lanes<Scalar>, [&] {
    Vector factor = simd::broadcast(Scalar(0.999)), term = simd::broadcast(Scalar(0.5));
    asm volatile("" : "+v"(factor), "+v"(term));
    for (int i = 0; i < rounds; ++i)
      for (Vector& value : sum) value = value * factor + term;
    keep(sum);
  });
}

template <class Scalar>
double exp_per_second() {
  using Vector = simd::Vector<Scalar>;
  constexpr int size = 1024, rounds = 1000;
  std::vector<Scalar> arguments(size);
  for (int i = 0; i < size; ++i) arguments[static_cast<std::size_t>(i)] = static_cast<Scalar>(-20.0 * i / size);
  return best_rate(static_cast<double>(rounds) * size, [&] {
    for (int round = 0; round < rounds; ++round) {
      Vector sum{};
      for (int i = 0; i < size; i += simd::lanes<Scalar>)
        sum += simd::exp2_small<Scalar>(simd::load(arguments.data() + i));
      keep(sum);
    }
  });
}

double bytes_read_per_second(std::int64_t bytes) {
  using Vector = simd::Vector<float>;
  constexpr int chains = 8, step = chains * simd::lanes<float>;
  const std::int64_t count = bytes / 4 / step * step;
  const std::vector<float> values(static_cast<std::size_t>(count), 1.0f);
  const std::int64_t rounds = std::max<std::int64_t>(1, (std::int64_t{1} << 27) / bytes);
  return best_rate(static_cast<double>(rounds * count * 4), [&] {
    for (std::int64_t round = 0; round < rounds; ++round) {
      Vector sum[chains] = {};
      for (std::int64_t i = 0; i < count; i += step)
        for (int q = 0; q < chains; ++q) sum[q] += simd::load(values.data() + i + q * simd::lanes<float>);
      keep(sum);
    }
  });
}

PassWork PassWork::of(std::int64_t n, std::int64_t p, std::int64_t r, bool features, bool hessian) {
  const double rows = static_cast<double>(n), types = static_cast<double>(r), dimension = static_cast<double>(p);
  PassWork work;
  work.exponentials = rows * types;
  work.fma = rows * types * dimension * (features ? 2.0 : 1.0);
  if (hessian) work.fma += rows * types * (types + 1.0) / 2.0;
  return work;
}

template double fma_per_second<float>();
template double fma_per_second<double>();
template double exp_per_second<float>();
template double exp_per_second<double>();

}  // namespace thalweg::bench
