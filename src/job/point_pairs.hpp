// Points of two sides that a user says belong together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// Positions on either side, from 0.
struct PointPairs {
  std::vector<std::int64_t> source, target;
};

/// One side of pairs: "vertices of the source surface", and how many there are.
struct PairedSide {
  std::string points;
  std::int64_t count = 0;
};

/// @param where   file and place of the value, for errors  @throws DataError unless it is a position of the side
std::int64_t position_of(double value, const PairedSide& side, const std::string& where);

/// A table with columns `source` and `target`. Local.
/// @throws DataError with file and row for what is no position
PointPairs read_pair_table(const std::string& path, const PairedSide& source, const PairedSide& target);

/// @throws DataError for a source that occurs twice, or no pairs  @param setting   key of the job file that named it
void check_pairs(const PointPairs& pairs, const PairedSide& source, const std::string& path,
                 const std::string& setting);

/// Such a table of cells, on every rank. Collective.
PointPairs read_paired_cells(const Communicator& comm, const std::string& path, std::int64_t num_sources,
                             std::int64_t num_targets);

/// Number of rows of such a table. Collective.
std::int64_t num_paired_cells(const Communicator& comm, const std::string& path);

}  // namespace thalweg
