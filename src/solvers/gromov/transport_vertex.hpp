// The coupling of least linear cost: a vertex of the couplings of two marginals.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// One entry of a coupling.
struct CouplingEntry {
  std::int64_t row = 0, column = 0;
  double mass = 0.0;
};

/// The most pairs of cells that may be asked for: 10^8 for as many cells of equal weight on both sides, else 2.5 x
/// 10^7.
std::int64_t most_pairs_of_vertex(std::span<const double> a, std::span<const double> b);

/// argmin <K, R> over R 1 = a, R^T 1 = b, exactly, on one rank: by assignment for as many cells of equal weight on both
/// sides, else by the network simplex.
/// @param linear   K, owned rows x m; rows lie on ranks one after another
/// @return         its positive entries, at most n + m - 1, on every rank. Collective.
/// @throws DataError for more pairs than most_pairs_of_vertex, NumericalError for a cost that is not finite
std::vector<CouplingEntry> transport_vertex(const Communicator& comm, std::span<const double> a,
                                            std::span<const double> b, std::span<const double> linear);

}  // namespace thalweg
