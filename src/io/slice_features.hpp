// Features of the cells of a time series, from slabs of the file to their slices.
#pragma once

#include <optional>
#include <vector>

#include "io/cell_routes.hpp"
#include "io/time_series.hpp"

namespace thalweg {

/// The matrix that a job names for its features. Throws DataError when it is missing or has no columns. Collective.
StoredMatrix open_features(const AnnDataReader& reader, const std::string& key);

/// The matrix of coordinates that a request names, nothing where there is none to read. Throws DataError when it is
/// missing, unless it may be, or has fewer than two columns. Collective.
std::optional<StoredMatrix> find_embedding(const AnnDataReader& reader, const TimeSeriesRequest& request);

/// Fills `features` of the slices, whose rows are known, from a matrix of the file. Throws DataError when a cell
/// that is used has a value that is not finite. Collective.
KeyInfo read_features(const AnnDataReader& reader, const StoredMatrix& matrix, const CellRoutes& routes,
                      std::vector<SliceRows>& slices);

/// Fills `coordinates` with the first two columns, finite or not. Collective.
KeyInfo read_coordinates(const AnnDataReader& reader, const StoredMatrix& matrix, const CellRoutes& routes,
                         std::vector<SliceRows>& slices);

}  // namespace thalweg
