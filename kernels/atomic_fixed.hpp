// Fixed-point sums of many threads: integers, so that the order of additions makes no difference.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace thalweg {

/// Adds an integer to a sum that other threads add to. A device has an instruction for std::int64_t and std::uint64_t
/// alone: for `unsigned long long` Kokkos compares and exchanges until it succeeds, which took most of a low-rank pass.
KOKKOS_INLINE_FUNCTION void add_atomically(std::int64_t& sum, std::int64_t term) { Kokkos::atomic_add(&sum, term); }

/// Adds the integer nearest to value * to_fixed.
KOKKOS_INLINE_FUNCTION void add_fixed(std::int64_t& sum, double value, double to_fixed) {
  add_atomically(sum, llrint(value * to_fixed));
}

}  // namespace thalweg
