// How well two clouds in one space agree with a known pairing of their cells, or with labels.
#pragma once

#include <cstdint>
#include <span>

#include "distributed/communicator.hpp"

namespace thalweg {

/// Cells of one side, on every rank.
struct CellPositions {
  std::int64_t num_cells = 0;
  std::int64_t dimension = 0;
  std::span<const double> values;  // num_cells x dimension, row-major
};

/// Fraction of samples closer than the true match, u_i and v_i being paired, N pairs:
///
///   p_i = #{j: |u_i - v_j| < |u_i - v_i|} / N,  q_i = #{j: |u_j - v_i| < |u_i - v_i|} / N,  mean of (p_i + q_i) / 2
///
/// 0 where every cell's partner is its nearest, 0.5 for random positions. Exact counts: the same on any number of
/// ranks. Rows are dealt to the ranks. Collective.
/// @throws DataError when the sides differ in size or dimension, are empty or not finite
/// Source: Liu et al. (2019), Jointly embedding multiple single-cell omics measurements.
double foscttm(const Communicator& comm, const CellPositions& u, const CellPositions& v);

/// Share of labelled cells whose label is that of most of their k nearest labelled reference cells (Euclidean; equal
/// distances by smaller index, equal votes by smaller label). Collective.
/// @param cell_labels, reference_labels   numbers of the labels in sorted order, negative: unlabelled
/// @return                                in [0, 1]; NaN without a labelled cell
/// @throws DataError when fewer than k reference cells are labelled, dimensions differ or values are not finite
double label_transfer_accuracy(const Communicator& comm, const CellPositions& cells,
                               std::span<const std::int32_t> cell_labels, const CellPositions& references,
                               std::span<const std::int32_t> reference_labels, std::int64_t k);

}  // namespace thalweg
