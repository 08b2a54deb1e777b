// Entropic Gromov-Wasserstein alignment of two groups of cells that share no features.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/context.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// Costs between the cells of one side: owned rows x cells, row-major, symmetric; rows lie on ranks as in
/// Partition(num_cells, ranks, block_rows).
struct StoredIntraCosts {
  std::int64_t num_cells = 0;
  std::variant<std::span<const std::uint8_t>, std::span<const float>, std::span<const double>> values;
  double divisor = 1.0;
};

/// Squared Euclidean distances between points, over `divisor`; nothing cells x cells is stored.
struct SquaredDistances {
  PointSet points;
  double divisor = 1.0;
};

/// Symmetric costs V diag(diagonal) V^T / divisor, V cells x r, all rows on every rank; nothing cells x cells is
/// stored.
struct FactoredCosts {
  PointSet factor;  // V
  std::vector<double> diagonal;
  double divisor = 1.0;
};

using IntraCosts = std::variant<StoredIntraCosts, SquaredDistances, FactoredCosts>;

/// With C the scaled costs within each side, over couplings P of marginals a and b:
///
///   E(P) = sum (C_X,ii' - C_Y,jj')^2 P_ij P_i'j',   min F(P) = E(P) + epsilon KL(P | a b^T)
///
/// Both sides hold the same kind of costs.
struct GromovProblem {
  IntraCosts source, target;
  std::vector<double> a, b;  // all n, all m, of sum 1 each
  double epsilon = 0.01;
};

struct GromovSettings {
  std::optional<double> epsilon_start = 0.05;  // absent or <= epsilon: no annealing
  double epsilon_decay = 0.9;                  // from one outer step to the next
  double tolerance = 1e-6;                     // of the stationarity gap, relative to |F|
  std::int64_t max_outer = 200;                // steps at the final epsilon
  double inner_tolerance = 1e-6;               // relative L1 error of the column sums
  std::int64_t inner_iterations = 2000;        // evaluations of one linear problem
};

/// One outer step.
struct GromovRecord {
  std::int64_t level = 0;  // number of epsilons before this one
  std::int64_t outer = 0;  // steps so far, from 1
  std::int64_t inner = 0;  // evaluations of its linear problem
  double epsilon = 0.0;
  double energy = 0.0;            // E
  double primal = 0.0;            // F
  double relative_entropy = 0.0;  // KL(P | a b^T)
  double gap = 0.0;               // of the coupling before, NaN where it was not measured
  double step = 1.0;              // t
  double change = 0.0;            // of the linear cost, relative
  double error_target = 0.0;      // relative L1 of the column sums
  bool is_accepted = true;        // false: F rose and the step is tried again, shorter
  double seconds = 0.0;
  std::optional<StopReason> stop_reason;
};

struct GromovSolution {
  SinkhornSolution coupling;  // potentials of the linear problem whose solution P is
  StopReason stop_reason = StopReason::converged;
  double energy = 0.0;  // E
  double primal = 0.0;  // F
  double gap = 0.0;     // stationarity gap of the coupling before the last, of no smaller F
  std::int64_t outer = 0;
  std::int64_t evaluations = 0;  // of all linear problems
  double seconds = 0.0;
  std::vector<GromovRecord> history;

  /// Of the final linear problem, with reference and epsilon as the solver left them: it generates P.
  std::shared_ptr<PairGeometry> geometry;
};

using GromovObserver = std::function<void(const GromovRecord&)>;

/// Mirror descent with backtracking from a b^T, epsilon falling to its final value first.
///
///   K(P) = 2 L(P) = gradient of E,   K <- (1 - t) K + t K(P),   P <- argmin <K, P> + epsilon KL(P | a b^T)
///
/// `converged`: the gap <K(P), P> + epsilon KL(P) - min <K(P), .> + epsilon KL(.), which is epsilon KL(P | P+) with P+
/// the solution of the next linear problem, is within tolerance and the last linear problem solved to inner_tolerance.
/// Squared Euclidean costs make E concave: then t = 1, and a rise of F is `non_monotone`. Collective.
/// @throws DataError for sides of different kinds, weights no marginals have, points that are not finite
/// Source: Peyre, Cuturi & Solomon (2016), Gromov-Wasserstein averaging; docs/math.md.
GromovSolution solve_gromov(const Context& context, const GromovProblem& problem, const GromovSettings& settings,
                            const GromovObserver& observer = {}, const StopCheck& stop_check = {});

}  // namespace thalweg
