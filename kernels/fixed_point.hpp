// Sums that do not depend on the order of their terms.
#pragma once

#include <cmath>
#include <cstdint>

namespace thalweg {

/// Fixed-point form of a sum whose absolute value, and that of every partial sum, stays below a bound.
///
/// A term t is stored as the integer nearest to t 2^e with the largest e for which the bound fits into
/// 62 bits. Integer addition is associative, so a sum has the same bits for any number of ranks or
/// threads and any order of atomics; the rounding of a term is 2^-62 of the bound, below that of doubles.
struct FixedPoint {
  double to_fixed = 1.0;
  double to_value = 1.0;

  static FixedPoint for_bound(double bound) {
    int exponent = 0;
    if (bound > 0.0 && std::isfinite(bound)) std::frexp(bound, &exponent);
    return {std::ldexp(1.0, 62 - exponent), std::ldexp(1.0, exponent - 62)};
  }
};

}  // namespace thalweg
