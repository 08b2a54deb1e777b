// Tables and the differentiation map of an HM-OT or low-rank solution.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/plots/differentiation_map.hpp"
#include "io/table.hpp"
#include "job/cell_types.hpp"
#include "job/hmot_problem.hpp"

namespace thalweg {

/// Sums over the cells of all ranks that tables need.
struct TypeSummary {
  std::vector<std::vector<std::int64_t>> cells;   // [slice][type]: cells whose most probable type it is
  std::vector<std::vector<double>> confidence;    // their mean membership
  std::vector<Matrix> annotation;                 // [slice]: types x categories, counts; empty without annotation
};

/// Collective.
TypeSummary summarise_types(const Communicator& comm, const HmOtJob& job, const TimeSeries& series, const CellClustering& ml);

/// Nodes with mass, cells, mean confidence and commonest annotation; all edges.
DifferentiationMap make_map(const HmOtJob& job, const HmOtSolution& solution, const TimeSeries& series,
                            const TypeSummary& summary, const std::string& title);

Table nodes_table(const DifferentiationMap& map);
Table edges_table(const DifferentiationMap& map);
/// Mean features of every type, in the coordinates of the input.
Table centroids_table(const HmOtJob& job, const HmOtSolution& solution);
/// Per transition: weight of <C_t, P_t>, weighted cost and its parts, inertia within types at both ends and cost between
/// means; with coordinates the weight of Gromov-Wasserstein in the objective and its value in units of the data.
Table objective_table(const HmOtJob& job, const HmOtSolution& solution);
Table restarts_table(const HmOtSolution& solution);
/// The 50 heaviest paths of types through all slices.
Table paths_table(const HmOtJob& job, const HmOtSolution& solution);

}  // namespace thalweg
