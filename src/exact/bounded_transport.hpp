// Exact transport with lower and upper bounds on single entries.
#pragma once

#include <span>

#include "exact/transport.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Bounds of the entries of a coupling, each r1 x r2; null where there are none.
struct EntryBounds {
  const Matrix* allowed = nullptr;  ///< 0 marks a forbidden entry
  const Matrix* lower = nullptr;    ///< in units of mass
  const Matrix* upper = nullptr;    ///< in units of mass
};

///   min <cost, P>   subject to   P 1 = a, P^T 1 = b, lower <= P <= upper, P_kl = 0 where allowed_kl = 0
///
/// Lower bounds are set aside. An entry (k, l) with upper bound U becomes two arcs through a new target p and a new
/// source q of mass U: k -> p (cost), q -> p (0), q -> l (0); what k sends to p is what q sends to l. So the size grows
/// by one a bounded entry that could bind.
/// @return  `gap` includes the value of the bounds; at the bounds cost_kl - u_k - v_l may have either sign
/// Throws as solve_transport, and DataError where lower > upper or no coupling meets the bounds.
TransportSolution solve_bounded_transport(std::span<const double> a, std::span<const double> b, const Matrix& cost,
                                          const EntryBounds& bounds, double tolerance = 1e-9);

}  // namespace thalweg
