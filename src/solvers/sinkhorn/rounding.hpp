// How exact sums in float32 are, from a few rows.
#pragma once

#include "solvers/sinkhorn/fixed_point.hpp"

namespace thalweg {

/// Relative L1 difference of the row sums of P(f, g) in `geometry` and in `exact`, over some 64 rows spread among those of
/// positive weight: the rounding of the sums alone, since both read the same packed numbers. Collective.
double rounding_of_sums(const Communicator& comm, const PreparedTransport& transport, const PairGeometry& geometry,
                        const PairGeometry& exact, const Iterate& now);

}  // namespace thalweg
