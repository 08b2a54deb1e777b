// Costs within one side as factors V diag V^T.
#pragma once

#include <cstdint>

#include "job/gromov_costs.hpp"

namespace thalweg {

/// Geodesics from landmarks, U V^T of two matrices of the file, or squared distances, which have rank features + 2.
/// Logs the rank and, of geodesics, the error. Collective.
/// @param own   cost `geodesic`, `factored` or `sq_euclidean`
/// @throws DataError for a factor of geodesics whose error is above 0.3, unless the job allows it; matrices of
/// different shapes, or whose product is not symmetric to 1e-6 of its longest row, naming the row; costs that are all 0
SideCosts factored_costs(const Context& context, const Job& job, const IntraCostOptions& own,
                         const TransportSides& sides, const CellSide& side, std::int64_t k);

/// Columns that the factor of a side will have, at most. @param columns   of U, where the cost is `factored`
std::int64_t most_factor_columns(const GromovOptions& options, const IntraCostOptions& own, std::int64_t num_cells,
                                 std::int64_t num_features, std::int64_t columns);

}  // namespace thalweg
