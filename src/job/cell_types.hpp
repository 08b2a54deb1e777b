// What a solution says of each cell: its type now, before and after.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/clusterings.hpp"
#include "solvers/hm_ot/hm_ot.hpp"

namespace thalweg {

/// One label a cell of this rank, slice after slice.
struct CellClustering {
  std::vector<std::int32_t> labels;
  std::vector<double> confidence;
};

struct CellTypes {
  /// By name: "ml" always, further those asked for of emission, reference, ancestral, terminal.
  std::map<std::string, CellClustering> clusterings;
  std::vector<float> fates;        // cells x types of the last slice, when "terminal" is asked for
  std::vector<float> memberships;  // cells x widest slice, zero-padded, when asked for
  std::int64_t fate_width = 0;
  std::int64_t membership_width = 0;
};

struct CellTypesRequest {
  std::vector<std::string> clusterings;
  std::size_t reference = 0;  // slice whose types the clustering "reference" carries
  bool with_memberships = false;
};

/// Labels of this rank's cells from memberships formed a tile of rows at a time. Local.
CellTypes label_cells(const HmOtSolution& solution, const HmOtProblem& problem, const CellTypesRequest& request);

/// Most probable types in another state of the same chain, as that of the k-means baseline. Local.
CellClustering label_cells_by_state(const HmOtSolution& solution, const ChainState& state, const HmOtProblem& problem);

/// Slice whose types a clustering names: its own for ml and emission (none), the first for ancestral, the
/// last for terminal.
std::int64_t slice_of_clustering(const std::string& clustering, std::size_t reference, std::size_t num_slices);

}  // namespace thalweg
