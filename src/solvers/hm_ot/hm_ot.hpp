// Hidden-Markov optimal transport: types of every slice and the couplings between them, one objective.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/stop_reason.hpp"
#include "solvers/hm_ot/chain.hpp"
#include "solvers/hm_ot/descent.hpp"

namespace thalweg {

/// What is known of one slice. At most one of `labels` and `memberships` is given; either fixes Q. The spans
/// must outlive the solution.
struct HmOtSlice {
  std::string name;
  RowBlock rows;
  std::int64_t num_types = 0;
  std::span<const std::int32_t> labels;       // of the owned rows, all in [0, num_types)
  std::span<const float> memberships;         // of the owned rows x num_types, >= 0, any positive sum a row
  std::optional<std::vector<double>> masses;  // g, sum 1
  std::vector<std::string> type_names;        // for messages; empty: numbers
};

struct HmOtTransition {
  double weight = 1.0;             // of its cost; 1/2 turns squared Euclidean into cosine of normalised rows
  std::optional<Matrix> allowed;   // nonzero = allowed
  std::optional<Matrix> coupling;  // T given
  bool is_diagonal = false;        // T = diag(g)
  double gromov = 1.0;             // of Gromov-Wasserstein alone; 1/4 makes it that of cosine costs of normalised rows
};

/// All slices have coordinates within themselves (RowBlock), or none has.
struct HmOtProblem {
  double alpha = 0.0;  // weight of Gromov-Wasserstein beside features; without features it stands alone
  std::vector<HmOtSlice> slices;
  std::vector<HmOtTransition> transitions;  // one less
};

enum class Start { transport, kmeans, random };

struct HmOtSettings {
  Start start = Start::transport;
  int restarts = 10;
  std::int64_t subsample = 8192;
  double epsilon_end = 1e-3;      // over sigma^2
  double tolerance = 1e-7;
  double inner_tolerance = 0.0;   // 0: by precision, 1e-6 for float32 and 1e-10 for float64
  int max_iterations = 2000;
  double min_type_mass = 0.0;     // 0: max(5 / n, 1e-4)
  Checkpoint* checkpoint = nullptr;  // keeps the state of the solve between runs; null: nothing does
};

/// One start of the descent, for tables/restarts.tsv.
struct RestartRecord {
  std::string start;         // "transport", "kmeans" or "random"
  double objective = 0.0;    // E and F_eps at the smooth level, without path steps
  double regularized = 0.0;
  bool is_chosen = false;
};

struct HmOtSolution {
  Chain chain;                           // with the rows, for memberships
  ChainState state;
  StopReason stop_reason = StopReason::converged;
  double epsilon = 0.0;                  // of the returned state, in units of the cost
  double baseline = 0.0;                 // E of k-means on every slice with exact couplings; NaN if constraints forbid it or stopped before
  std::optional<ChainState> baseline_state;  // of that E, where it was computed
  double full_rank_reference = 0.0;      // cost of one-to-one maps on the start's sample; NaN without one
  double column_error = 0.0;             // max_t |Q_t^T 1 - g_t|_1; rows are exact by construction
  double coupling_gap = 0.0;             // largest relative duality gap of the couplings
  std::vector<RestartRecord> restarts;
  std::vector<DescentRecord> history;
  std::int64_t passes = 0;               // full passes over the rows of a slice
};

/// Minimises E over what is free, with P_t = Q_t diag(1/g_t) T_t diag(1/g_t+1) Q_t+1^T and
///
///   E = sum_t w_t [(1 - alpha) <C_t, P_t> / s_W + alpha GW(A_t, A_t+1; P_t) / s_GW],
///
/// C the squared distances between features, A those of coordinates within a slice, s the means over t of the values at
/// P_t = a_t b_t^T. Without coordinates E = sum_t w_t <C_t, P_t>, without features E = sum_t w_t GW.
///
/// Restarts run on a sample, distributed over ranks; the best is polished on all cells. Every number is
/// the same for any number of ranks. Collective.
/// @param observer    called on every rank for each check; may be empty
/// @param stop_check   asked on every rank after each sweep and each start whether this rank was told to stop; a
///                     reason on any rank ends the solve on all within a few sweeps, in a feasible state
/// @throws DataError for infeasible masks or too few distinct rows
/// Source: Halmos et al. (2025), Learning latent trajectories in developmental time series with Hidden-Markov optimal
/// transport; the monotone block descent and the path step are derived in docs/math.md.
HmOtSolution solve_hm_ot(const Context& context, const HmOtProblem& problem, const HmOtSettings& settings,
                         const Descent::Observer& observer = {}, const StopCheck& stop_check = {});

/// Memberships of the owned rows of one slice in a state of it, from row `first_block * block_rows` on, rows x r.
std::vector<double> slice_memberships(const Chain& chain, const SliceState& state, std::size_t slice, std::int64_t first_block,
                                      std::int64_t num_blocks);

/// Those of the solution.
std::vector<double> slice_memberships(const HmOtSolution& solution, std::size_t slice, std::int64_t first_block,
                                      std::int64_t num_blocks);

}  // namespace thalweg
