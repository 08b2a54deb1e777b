// Matrices that the file of a side holds for its costs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "job/transport_sides.hpp"

namespace thalweg {

/// A matrix with a row per cell of one side: the rows of this rank.
struct SideRows {
  std::int64_t num_columns = 0;
  std::vector<float> values;  // row-major
};

/// The table of the job that describes a side: "source" or "target".
std::string side_key(const TransportSides& sides, const CellSide& side);

/// Another matrix of the file of a side. Collective. @param setting   key of the job that names it
/// @throws DataError where the file has none of that name, or values that are not finite
SideRows read_side_rows(const Communicator& comm, const Job& job, const TransportSides& sides, const CellSide& side,
                        const std::string& key, const std::string& setting);

/// A square matrix of all cells of the file, dense or sparse (absent entries are 0): owned rows x cells of the side.
/// Symmetric to 1e-6 of its largest entry, finite and not negative. Warns where more than half of the entries are 0.
/// Collective. @throws DataError naming the key and the first row of the file for any other
std::vector<float> read_given_costs(const Communicator& comm, const Job& job, const TransportSides& sides,
                                    const CellSide& side, const std::string& key);

}  // namespace thalweg
