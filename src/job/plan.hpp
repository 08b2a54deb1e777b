// Memory and work of a job from the shape of its problem alone; nothing is allocated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace thalweg {

/// Bytes and operations: products of sizes near 1e9 leave 64 bits.
__extension__ using WideInt = __int128;

/// Shape of a problem. Everything that decides its memory is in here.
struct PlanInput {
  std::string command = "hmot";               ///< "hmot", "lowrank", "transport", "gromov", "align", "export", "simulate" or "embed .."
  std::vector<std::int64_t> cells_per_slice;  ///< or per side
  std::int64_t num_features = 0;              ///< p
  std::vector<std::int64_t> types;            ///< r, one for all slices or one a slice
  std::int64_t num_obs = 0;                   ///< rows of the files; 0: as many as cells
  std::int64_t stored_entries = 0;            ///< of features stored sparse; 0: dense
  bool is_double = false;                     ///< solver.precision float64
  bool on_device = false;                     ///< tiles lie in device memory
  bool weighted = false;
  bool labelled = false;                ///< an annotation is read
  bool embedded = false;                ///< coordinates for plots are read
  std::int64_t subsample = 8192;        ///< cells per slice for the start
  std::int64_t num_clusterings = 1;     ///< label columns written, each with a confidence
  std::int64_t membership_columns = 0;  ///< floats a cell written to obsm
  std::int64_t given_shares = 0;        ///< memberships read, cells x types
  std::int64_t threads = 1;             ///< per rank
  std::int64_t label_columns = 0;       ///< transport: categories carried between the sides
  std::int64_t projected_columns = 0;   ///< transport: of all projections together
  std::int64_t widest_projection = 0;
  std::int64_t acceleration_history = 0;  ///< transport: vectors of targets kept, in pairs
  std::int64_t other_features = 0;      ///< gromov: of the target side; num_features are those of the source
  std::int64_t geodesic_k = 0;          ///< gromov: neighbours of a graph; 0: none
  std::int64_t shared_features = 0;     ///< gromov: of the linear cost between the sides; 0: none
  bool exact_linear = false;            ///< gromov: linear problems are solved on one rank
  std::int64_t cost_bytes = 0;          ///< gromov: of a stored cost within a side; 0: none are stored
  std::int64_t starts = 1;              ///< gromov: couplings to begin from
  std::int64_t linear_costs = 3;        ///< gromov: that a solve with stored costs holds at once
  std::int64_t given_entries = 0;       ///< gromov: of a coupling to begin from
  bool is_sweep = false;                ///< gromov: over values of its keys
  std::int64_t kept_couplings = 0;      ///< gromov: beside that of the solve: of other starts, of a sweep
  bool low_rank = false;                ///< gromov: costs within the sides are factors
  std::int64_t factor_columns = 0;      ///< gromov: of the factor of the sources
  std::int64_t other_factor_columns = 0;
  std::int64_t landmarks = 0;           ///< gromov: searches that a factor is from; 0: it is from no graph
  bool writes_coupling = false;         ///< gromov: all of it
  std::vector<std::int64_t> surface_vertices = {};  ///< gromov: of each side where these are surfaces; the cells are those solved
  std::int64_t embedding_dim = 0;       ///< embed: columns of an embedding
  std::int64_t encoder_weights = 0;     ///< embed: of the larger encoder
  std::int64_t coupled_sources = 0;     ///< embed: cells that are coupled first; fewer than there are: landmarks
  std::int64_t coupled_targets = 0;
  std::int64_t fitted_starts = 0;       ///< embed: trainings from alignments, at most
  std::int64_t random_starts = 0;       ///< embed: trainings from random weights
  std::int64_t coordinates = 0;  ///< hmot, lowrank: within the slices; num_features counts them and their squares too
  bool dense_costs = false;             ///< transport: the features of the source are its costs
  bool with_divergence = false;
  std::string form = "auto";  ///< solver.form
  bool may_ring = false;  ///< transport: points may stay on the ranks that own their cells
  bool ring = false;      ///< they do
  bool exports_rows = false;   ///< of the coupling, as sparse or dense rows
  bool exports_dense = false;
  std::int64_t exported_per_row = 0;    ///< most entries of a row that are kept; 0: all
};

/// Something held in memory during some phases of a run.
struct MemoryItem {
  std::string name;
  bool on_device = false;
  bool while_reading = false, while_solving = false, while_writing = false;
  WideInt bytes = 0;      ///< on the rank with most
  WideInt all_ranks = 0;  ///< summed over ranks
};

/// Bytes of one phase.
struct PhaseBytes {
  WideInt host = 0, device = 0;                      ///< on the rank with most
  WideInt host_all_ranks = 0, device_all_ranks = 0;  ///< summed over ranks
};

struct MemoryPlan {
  std::vector<MemoryItem> items;
  PhaseBytes reading, solving, writing;

  /// The largest of the phases, host and device each.
  PhaseBytes peak() const;
};

/// Throws ConfigError when `types` fits neither one nor all slices.
MemoryPlan plan_memory(const PlanInput& input, std::int64_t num_ranks);

/// Bytes of a state of the solve on disk, of which two are kept; without its history. 0: the command keeps none.
WideInt saved_bytes(const PlanInput& input);

/// What one pass over all cells costs.
struct PassCost {
  WideInt reduced_bytes = 0;  ///< all-reduced: sum over slices of 8 ((p + 2) r + r^2)
  WideInt flops = 0;          ///< sum over slices of 4 n p r + 2 n r^2
};
PassCost pass_cost(const PlanInput& input);

/// Bytes that one rank may use.
struct RankBudget {
  WideInt host = 0;
  WideInt device = 0;  ///< counts only where the tiles lie there
};

bool fits(const PlanInput& input, std::int64_t num_ranks, const RankBudget& budget);
/// Fewest ranks with this budget each on which the job fits; 0 when there is no such number.
std::int64_t ranks_needed(const PlanInput& input, const RankBudget& budget);
/// Most cells, spread over the slices as those of `input` are, that fit on `num_ranks`; 0 when none do.
std::int64_t most_cells(const PlanInput& input, std::int64_t num_ranks, const RankBudget& budget);
/// Most features per cell that fit on `num_ranks`; 0 when none do.
std::int64_t most_features(const PlanInput& input, std::int64_t num_ranks, const RankBudget& budget);

}  // namespace thalweg
