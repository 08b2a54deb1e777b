// Fixed-point sums of many threads: integers, so that the order of additions makes no difference.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace thalweg {

/// Adds an integer to a sum that other threads add to.
KOKKOS_INLINE_FUNCTION void add_atomically(std::int64_t& sum, std::int64_t term) {
  using Unsigned = unsigned long long;
  Kokkos::atomic_add(reinterpret_cast<Unsigned*>(&sum), static_cast<Unsigned>(term));
}

/// Adds the integer nearest to value * to_fixed.
KOKKOS_INLINE_FUNCTION void add_fixed(std::int64_t& sum, double value, double to_fixed) {
  add_atomically(sum, llrint(value * to_fixed));
}

}  // namespace thalweg
