// Bounds of E from below by transport of what each cell sees of its own side.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "solvers/gromov/intra_rows.hpp"

namespace thalweg {

/// (sum_k a_k C_ik^2)^(1/2) of all cells, on every rank. Collective.
std::vector<double> eccentricities(const Communicator& comm, const IntraRows& costs,
                                   const std::vector<double>& weights);

inline constexpr std::int64_t num_quantile_bins = 64;

/// Means of the quantile function of (C_ik, a_k) over k in 64 bins of equal length, over sqrt(64): all cells x 64, on
/// every rank. Squared distances between two rows are at most the squared Wasserstein distance of the distributions.
/// Collective.
Matrix quantile_means(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights);

/// The coupling of two weighted sets of numbers in ascending order, which is optimal for squared differences.
Matrix monotone_coupling(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& a,
                         const std::vector<double>& b);

/// Values at most E(P) for every P of marginals a and b.
struct LowerBounds {
  double eccentricity = 0.0;           // "flb": transport of the eccentricities, exact
  std::optional<double> distribution;  // "tlb": transport of the quantile means, a dual value; absent: too large
  double best() const { return distribution ? std::max(eccentricity, *distribution) : eccentricity; }
};

/// Up to 512 x 512 cells `distribution` is exact; beyond, potentials of an entropic problem are made feasible for the
/// problem without entropy. It is left out where distances of more than 4096 cells would have to be formed.
/// Collective. Source: Memoli (2011), Gromov-Wasserstein distances and the metric approach to object matching,
/// section 6.
LowerBounds lower_bounds(const Context& context, const GromovProblem& problem);

}  // namespace thalweg
