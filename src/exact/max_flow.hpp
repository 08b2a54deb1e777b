// Feasibility of type masses under a pattern of allowed entries, with the set that breaks it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/matrix.hpp"

namespace thalweg {

/// Whether masses fit. If not: a set of sources whose mass exceeds what their entries can take, and the targets
/// that this set fills; both ascending. Empty sets and zeros if feasible.
struct FlowCheck {
  bool feasible = true;
  std::vector<std::int64_t> sources, targets;
  double demand = 0.0;    ///< mass of `sources`
  double capacity = 0.0;  ///< mass of `targets` plus the bounds of entries from `sources` to other targets
};

/// Maximum flow (shortest augmenting paths) from the row masses through the entries to the column masses.
/// @param a, b       masses >= 0 of equal sum (to 1e-6 of the total)
/// @param allowed    r1 x r2, 0 marks a forbidden entry
/// @param upper      r1 x r2 bounds >= 0 of the entries, in units of mass; null for none. Lower bounds: subtract
///                   them from a, b and upper first
/// @param tolerance  share of the total mass that may be left
/// Throws DataError on bad masses, bounds or sizes.
FlowCheck check_flow(std::span<const double> a, std::span<const double> b, const Matrix& allowed,
                     const Matrix* upper = nullptr, double tolerance = 1e-9);

}  // namespace thalweg
