// Measured rates of the machine that a kernel's time is compared with.
#pragma once

#include <cstdint>

namespace thalweg::bench {

/// Rates of one thread, measured in this run, as the machine's clock and load vary.
template <class Scalar>
double fma_per_second();

/// Exponentials a second with the kernels' polynomial, arguments and results in the first cache.
template <class Scalar>
double exp_per_second();

/// Bytes a second that one thread reads from an array of this size.
double bytes_read_per_second(std::int64_t bytes);

/// Multiply-adds and exponentials that one low-rank pass cannot do without; H by its upper triangle.
struct PassWork {
  double fma = 0.0, exponentials = 0.0;

  static PassWork of(std::int64_t n, std::int64_t p, std::int64_t r, bool features, bool hessian);
};

}  // namespace thalweg::bench
