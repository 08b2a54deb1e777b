// Entropic transport between two groups of points: accelerated log-domain Sinkhorn with certified results.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/context.hpp"
#include "core/stop_reason.hpp"
#include "geometry/pair_geometry.hpp"
#include "solvers/stop_check.hpp"

namespace thalweg {

/// R of the entropy term epsilon KL(P | R), R_ij = alpha_i beta_j.
enum class EntropyReference {
  product,   // a_i b_j
  uniform,   // 1 / (n m), n and m counted over points of positive weight
  counting,  // 1
};

/// min <C, P> + epsilon KL(P | R) + lambda1 KL(P 1 | a) + lambda2 KL(P^T 1 | b); infinite lambda: exact marginal.
struct SinkhornProblem {
  PairGeometry* geometry = nullptr;  // scaled; reference and epsilon are set by the solver
  std::vector<double> a, b;          // all n, all m; balanced: both of sum 1
  EntropyReference reference = EntropyReference::product;
  double epsilon = 0.05;             // in units of the scaled cost
  double lambda1 = std::numeric_limits<double>::infinity();
  double lambda2 = std::numeric_limits<double>::infinity();
  std::vector<double> initial_g;     // warm start, all m; empty: annealing
  bool is_symmetric = false;         // both sides the same points and weights: f = g, updates of their mean
};

enum class Acceleration { anderson, overrelax, none };

struct SinkhornSettings {
  double tolerance = 1e-5;            // relative L1 error of the column sums
  double gap_tolerance = 1e-4;        // relative, when a side is relaxed
  std::int64_t max_iterations = 2000; // evaluations
  std::int64_t check_every = 1;
  Acceleration acceleration = Acceleration::anderson;
  std::int64_t anderson_history = 8;
  std::optional<double> epsilon_start; // absent: mean cost; <= epsilon: no annealing
  double anneal_factor = 0.5;
  std::int64_t anneal_steps = 3;
  bool certify = true;                // balanced: a feasible coupling's value as upper bound
  Checkpoint* checkpoint = nullptr;   // keeps the state of the solve between runs; null: nothing does
  bool solves_stopped = false;        // a solve that was told to stop has a solution too where its state was saved
};

/// One check.
struct SinkhornRecord {
  std::int64_t level = 0;        // annealing stage
  std::int64_t evaluation = 0;   // of all stages, from 1
  double epsilon = 0.0;
  double error = 0.0;            // e = sum_j |c_j - q_j| / sum_j q_j
  double residual = 0.0;         // |g+ - g|_b / epsilon
  double dual = 0.0;             // NaN where it was not computed
  bool is_accelerated = false;
  bool is_restart = false;
  std::string mode;              // "float32", "float64"
  double seconds = 0.0;
  std::optional<StopReason> stop_reason;
};

/// Potentials and what is known about their coupling; every number in float64. Of a solve that was told to stop and goes on
/// from its state later only the reason, the counts and the history are known: a pass over all pairs is left to its end.
struct SinkhornSolution {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  std::vector<double> f;         // owned rows
  std::vector<double> g;         // all columns
  std::vector<double> log_alpha, log_beta;  // all n, all m
  double epsilon = 0.0;
  StopReason stop_reason = StopReason::converged;

  double mass = unknown;             // |P|
  double cost = unknown;             // <C, P>
  double primal = unknown;           // F, of the coupling as it is
  double dual = unknown;             // D
  double upper = unknown;            // F of a coupling that is feasible: certificate, exact columns, or P itself; NaN without
  double gap = unknown;              // upper - dual
  double marginal_penalty_source = unknown, marginal_penalty_target = unknown;  // lambda KL terms
  double relative_entropy = unknown; // KL(P | R)
  double entropy = unknown;          // -sum P log P
  double error_source = unknown, error_target = unknown;  // relative L1, measured
  double max_marginal_error = unknown;
  double smallest_row_ratio = unknown;                // min_i r_i / a_i
  bool needs_float64 = false;    // float32 was too coarse for epsilon or the tolerance: read the coupling in float64 too
  bool is_collapsed = false;     // a relaxed problem that lost nearly all mass; a larger lambda keeps it
  std::vector<double> row_sums;  // owned rows
  std::vector<double> column_sums;

  std::int64_t evaluations = 0;
  std::int64_t evaluations_float64 = 0;
  std::int64_t fallback_tiles = 0;
  std::int64_t restarts = 0;     // of the acceleration
  double seconds = 0.0;
  std::int64_t bytes_sent = 0;
  std::vector<SinkhornRecord> history;
};

/// Vectors over the targets in the state of a solve, beside f of the sources: g and the acceleration window.
std::int64_t sinkhorn_state_vectors(const SinkhornSettings& settings);

using SinkhornObserver = std::function<void(const SinkhornRecord&)>;

/// Solves by annealing in epsilon and Anderson-accelerated alternating updates of g; f follows exactly.
///
/// `converged` is said only after a float64 pass over the same packed numbers has shown the error to be within
/// tolerance, and for relaxed sides the relative gap too. The best potentials are returned whatever the reason,
/// unless the state of a stopped solve was saved.
/// With settings.checkpoint the solve goes on from the state that is there, to the same bits as without interruption.
/// Leaves the problem's geometry at its epsilon and reference. Collective; the same bits for any number of ranks.
/// @throws DataError for weights that are negative, all zero or of different sums in a balanced problem
/// Source: Cuturi (2013); Peyre & Cuturi (2019), section 4; Chizat et al. (2018) for relaxed marginals; Walker & Ni
/// (2011) for Anderson acceleration.
SinkhornSolution solve_sinkhorn(const Context& context, const SinkhornProblem& problem,
                                const SinkhornSettings& settings, const SinkhornObserver& observer = {},
                                const StopCheck& stop_check = {});

}  // namespace thalweg
