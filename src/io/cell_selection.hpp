// Which cells of a file a job uses, in which time slice, found from obs columns alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "distributed/partition.hpp"
#include "io/anndata_reader.hpp"
#include "io/time_axis.hpp"

namespace thalweg {

/// What was read of a file, for the record of a run.
struct KeyInfo {
  std::string key;
  std::vector<std::int64_t> shape;
  std::string type;
  /// Sum of row checksums of the values read (`Hdf5Reader::fingerprint`).
  std::uint64_t fingerprint = 0;
};

struct SelectionRequest {
  /// obs column; empty: all cells are one slice of time 0.
  std::string time_key;
  /// Times kept, in this order; empty: all, ascending.
  std::vector<std::string> days;
  /// Column -> values kept.
  std::map<std::string, std::vector<std::string>> filter;
};

struct Selection {
  std::vector<TimePoint> slices;
  std::vector<std::int64_t> slice_sizes;
  /// Slice of each file row of this rank's share under Partition(num_obs, size); -1 for cells not used.
  std::vector<std::int32_t> slice_of_row;
  /// "missing_time", "filter", "days" -> cells left out, over all ranks.
  std::map<std::string, std::int64_t> dropped;
  std::vector<KeyInfo> keys;
  std::string note;
};

/// Throws DataError for unknown columns and values, and when a slice asked for, or all, would be empty.
/// Collective.
Selection select_cells(const AnnDataReader& reader, const SelectionRequest& request);

/// Record of a column whose row checksums over this rank's rows add up to `checksum`. Collective.
KeyInfo column_info(const AnnDataReader& reader, const Column& column, std::uint64_t checksum);

}  // namespace thalweg
