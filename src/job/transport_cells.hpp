// What a solved transport problem says of each cell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/coupling_means.hpp"
#include "job/transport_problem.hpp"

namespace thalweg {

/// This rank's cells of one side, in the order of its slice. NaN where a cell has no partners.
struct SideCells {
  std::vector<double> potential;            // f or g, in units of the scaled cost
  std::vector<double> mass;                 // actual marginal
  std::vector<double> entropy;              // -sum p log p over the partners
  std::vector<double> cost;                 // mean scaled cost to the partners
  std::vector<std::int32_t> zero_weight, unmatched;  // truth values
  std::vector<std::int32_t> label;          // carried from the other side: its most probable one
  std::vector<double> confidence;
  std::vector<float> label_shares;          // cells x categories of the other side
  std::vector<std::vector<float>> projections;  // per key: cells x width on the other side
};

struct TransportCells {
  SideCells source, target;
  std::vector<std::string> projection_keys;     // "obsm/X_emb"
  std::vector<std::int64_t> source_widths, target_widths;  // of the projections written for either side
  std::vector<double> transitions;              // label x label masses, sources down; empty without labels
};

/// @param sides   as read; of dense costs the matrix is still there
/// Collective.
TransportCells describe_cells(const Context& context, const Job& job, const TransportSides& sides, const TransportProblem& problem,
                              const SinkhornSolution& solution);

/// Values of the rows that a geometry owns, as the rows of a slice that this rank holds. Collective.
template <class T>
std::vector<T> rows_of_slice(const Communicator& comm, RowRange owned, const SliceRows& slice, std::span<const T> values, std::int64_t width = 1);

}  // namespace thalweg
