// The graph of neighbours of one side of an alignment.
#pragma once

#include <cstdint>

#include "core/context.hpp"
#include "geometry/knn_graph.hpp"
#include "job/transport_sides.hpp"
#include "solvers/gromov_options.hpp"

namespace thalweg {

Metric metric_of(const GromovOptions& options);
Disconnected disconnected_of(const GromovOptions& options);

/// Cells of a side that a rank owns: whole blocks of block_rows.
RowRange owned_rows(const Communicator& comm, const CellSide& side);

/// Warns of several parts. Collective. @throws DataError for k above the number of cells, parts that may not be
KnnGraph graph_of_side(const Context& context, const GromovOptions& options, const CellSide& side, std::int64_t k);

}  // namespace thalweg
