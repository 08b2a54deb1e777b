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
#include "kernels/matrix.hpp"
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

/// Costs M between the cells of both sides: owned rows x m, row-major, finite and not negative; rows lie on ranks as
/// those of StoredIntraCosts of the source.
struct StoredLinearCosts {
  std::variant<std::span<const float>, std::span<const double>> values;
};

/// M = squared Euclidean distances between features that both sides share, all cells on every rank.
struct SharedFeatures {
  PointSet source, target;
};

/// Stored costs within the sides take either; squared distances within them take shared features alone, so that all
/// costs stay inner products.
using LinearCosts = std::variant<StoredLinearCosts, SharedFeatures>;

/// Units of both parts of E: their values at a b^T, so that alpha has no unit, or 1.
enum class Normalise { product, none };

/// Which P are couplings: P 1 = a and P^T 1 = b; P 1 = a alone; any, at a price.
enum class GromovMode { balanced, semi_relaxed, unbalanced };

/// Entropy: KL to a b^T. Proximal: KL to the coupling before, so that the limit is not regularised.
enum class Regularisation { entropy, proximal };

/// With C the scaled costs within each side and M a cost between them:
///
///   E_gw(P) = sum (C_X,ii' - C_Y,jj')^2 P_ij P_i'j',   E = alpha E_gw / s_GW + (1 - alpha) <M, P> / s_W
///   min F(P) = E(P) + epsilon KL(P | a b^T)
///
/// `unbalanced`, with KL2(u|v) = KL(u (x) u | v (x) v):
///
///   F = E + (rho_1 / 2) KL2(P 1 | a) + (rho_2 / 2) KL2(P^T 1 | b) + (epsilon / 2) KL2(P | a b^T)
///
/// which for large rho is the balanced problem with the same epsilon. `proximal`: F = E. Both sides hold the same kind
/// of costs; modes but `balanced` and `proximal` need stored ones, `proximal` in float64.
struct GromovProblem {
  IntraCosts source, target;
  std::vector<double> a, b;  // all n, all m, of sum 1 each unless unbalanced
  double epsilon = 0.01;
  double alpha = 1.0;                      // without linear costs: 1
  std::optional<LinearCosts> linear = {};  // M; absent: E = E_gw
  Normalise normalise = Normalise::product;
  GromovMode mode = GromovMode::balanced;
  double rho_1 = 1.0, rho_2 = 1.0;  // unbalanced: > 0
  Regularisation regularisation = Regularisation::entropy;
};

/// s_GW and s_W; 1 where there is no M, or they would be 0.
struct FusedUnits {
  double quadratic = 1.0, linear = 1.0;
};

/// Mirror descent; or Frank-Wolfe steps from where that ends, with epsilon = 0: stored costs in float64, balanced.
enum class GromovAlgorithm { mirror, frank_wolfe };

/// A linear cost in whatever form generates it: a small core on every rank, or cells x cells, of which a rank has its
/// rows, shared with the geometry of that cost. Sums of two are those of their numbers.
using LinearCost = std::variant<std::vector<double>, SharedTiles<float>, SharedTiles<double>>;

/// A coupling between some cells of both sides, on every rank: mass(k, l) of the pair rows[k], columns[l].
struct CellCoupling {
  std::vector<std::int64_t> rows, columns;
  Matrix mass;
};

/// A coupling of few entries between all cells, on every rank: mass[k] of the pair rows[k], columns[k].
struct CouplingEntries {
  std::vector<std::int64_t> rows, columns;
  std::vector<double> mass;
};
using SharedEntries = std::shared_ptr<const CouplingEntries>;

/// Where the iteration begins: at a b^T, at K of a coupling between some cells or of few entries, or at a linear cost
/// that an earlier solve of the same problem kept.
using GromovStart = std::variant<std::monostate, CellCoupling, SharedEntries, LinearCost>;

struct GromovSettings {
  GromovAlgorithm algorithm = GromovAlgorithm::mirror;
  GromovStart start = {};
  bool keep_linear = false;                    // K of the coupling that is returned
  std::optional<double> epsilon_start = 0.05;  // absent or <= epsilon: no annealing
  double epsilon_decay = 0.9;                  // from one outer step to the next
  double tolerance = 1e-6;                     // of the stationarity gap, relative to |F|
  std::int64_t max_outer = 200;                // steps at the final epsilon
  double inner_tolerance = 1e-6;               // relative L1 error of the column sums
  std::int64_t inner_iterations = 2000;        // evaluations of one linear problem
  Checkpoint* checkpoint = nullptr;            // keeps the state of the solve between runs; null: nothing does
};

/// One outer step.
struct GromovRecord {
  std::int64_t level = 0;  // number of epsilons before this one
  std::int64_t outer = 0;  // steps so far, from 1
  std::int64_t inner = 0;  // evaluations of its linear problem
  double epsilon = 0.0;
  double energy = 0.0;            // E
  double energy_gw = 0.0;         // E_gw, in units of the scaled costs
  double energy_linear = 0.0;     // <M, P>
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
  double energy = 0.0;                          // E
  double energy_gw = 0.0, energy_linear = 0.0;  // E_gw and <M, P>
  double alpha = 1.0, epsilon = 0.0;            // of the problem; epsilon 0 after Frank-Wolfe steps
  FusedUnits units;                             // s_GW and s_W
  double primal = 0.0;                          // F
  double gap = 0.0;                             // stationarity gap of the coupling that the last full step began at
  std::int64_t outer = 0;
  std::int64_t evaluations = 0;  // of all linear problems
  double seconds = 0.0;
  std::vector<GromovRecord> history;

  /// K(P) where settings.keep_linear asked for it.
  std::optional<LinearCost> linear;

  /// Of the final linear problem, with reference and epsilon as the solver left them: it generates P.
  std::shared_ptr<PairGeometry> geometry;
  LinearCost generator;  // K of that problem: stored ones are those that the geometry reads
};

using GromovObserver = std::function<void(const GromovRecord&)>;

/// Mirror descent with backtracking from settings.start, epsilon falling to its final value first.
///
///   K(P) = 2 L(P) = gradient of E,   K <- (1 - t) K + t K(P),   P <- argmin <K, P> + epsilon KL(P | a b^T)
///
/// `converged`: the gap <K(P), P> + epsilon KL(P) - min <K(P), .> + epsilon KL(.), which is epsilon KL(P | P+) with P+
/// the solution of the next linear problem, is within tolerance and the last linear problem solved to inner_tolerance.
/// Squared Euclidean costs make balanced E concave: then t = 1, and a rise of F is `non_monotone`. Unbalanced
/// couplings: the alternate steps of unbalanced_loop.hpp. `nonfinite`: the coupling may be none. With
/// settings.checkpoint the solve goes on from the state that is there, to the same bits as without interruption.
/// Collective.
/// @throws DataError for sides of different kinds, weights no marginals have, points that are not finite, linear costs
/// that are not finite, negative or of another shape, alpha outside [0, 1] or below 1 without linear costs, modes,
/// regularisations and algorithms that do not go together
/// Source: Peyre, Cuturi & Solomon (2016), Gromov-Wasserstein averaging; Vayer et al. (2020), Fused Gromov-Wasserstein
/// distance for structured objects; docs/math.md.
GromovSolution solve_gromov(const Context& context, const GromovProblem& problem, const GromovSettings& settings,
                            const GromovObserver& observer = {}, const StopCheck& stop_check = {});

}  // namespace thalweg
