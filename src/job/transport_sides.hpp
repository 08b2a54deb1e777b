// The two groups of cells of a two-sided problem, whole on every rank but for features that pass in a ring.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/time_series.hpp"
#include "job/job.hpp"

namespace thalweg {

/// Cells of one side in the order of their file.
struct CellSide {
  std::string name;  // "12.0", or "source" and "target"
  std::size_t file = 0, slice = 0;
  std::int64_t num_cells = 0;
  std::int64_t num_features = 0;
  std::vector<float> features;             // num_cells x num_features, or those of `rows`
  std::optional<RowRange> rows;            // form "ring": the cells of this rank
  std::vector<double> weights;             // uniform: 1 / num_cells each
  std::vector<std::int32_t> labels;        // index into categories, -1 missing; empty without annotation
  std::vector<std::string> categories;
};

struct TransportSides {
  std::vector<TimeSeries> files;  // one that holds both sides, or one a side; without features
  CellSide source, target;
  std::string pair;               // "12.0_12.5"

  const TimeSeries& file_of(const CellSide& side) const { return files[side.file]; }
  const SliceRows& slice_of(const CellSide& side) const { return files[side.file].slices[side.slice]; }
  bool share_file() const { return files.size() == 1; }
};

/// What the reader is asked for cells: without coordinates, which no plot of transport needs.
TimeSeriesRequest request_of_cells(const InputOptions& input, const std::string& annotation);

/// The obs column whose labels the job uses; "" for none.
const std::string& annotation_of(const Job& job);

/// Reads both sides, whose features may differ. Collective.
/// @param annotation   obs column of the labels; empty: none
/// @param in_ring      the features stay on the ranks that own the cells; else all are on every rank
/// @throws DataError for other than two times, bad values
TransportSides read_two_sides(const Communicator& comm, const Job& job, const std::string& command,
                              const std::string& annotation, bool in_ring);

/// The cells of [source] or of [target] alone, with their features; the other side has none. Collective.
TransportSides read_one_side(const Communicator& comm, const Job& job, bool is_source, const std::string& annotation);

/// The same for transport: those of [source] and [target], or the two times of input.time_key. Collective.
/// @throws DataError for other than two times, sides of different features, bad values
TransportSides read_transport_sides(const Communicator& comm, const Job& job);

/// Another matrix of the same cells: rows of both sides, on every rank.
struct SideMatrices {
  std::vector<float> source, target;
  std::int64_t source_width = 0, target_width = 0;
};

/// @throws DataError where a side's file has no such matrix
SideMatrices read_side_matrices(const Communicator& comm, const Job& job, const TransportSides& sides, const std::string& key);

}  // namespace thalweg
