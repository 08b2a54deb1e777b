// The cells of a job as time slices, each spread over the ranks.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"
#include "io/cell_selection.hpp"

namespace thalweg {

struct TimeSeriesRequest {
  std::string path;
  /// obs column of times; empty: all cells are one slice of time 0.
  std::string time_key;
  /// Matrix of features: "obsm/X_pca", "X", "layers/counts", "raw/X".
  std::string features = "obsm/X_pca";
  /// obs columns of labels and of the mass per cell; empty: none, uniform.
  std::string annotation, weights;
  /// Matrix of which the first two columns are read as coordinates; empty: none. One that may be absent is skipped then.
  std::string embedding;
  bool embedding_may_be_absent = false;
  /// Times kept, in this order; empty: all, ascending.
  std::vector<std::string> days;
  /// obs column -> values kept.
  std::map<std::string, std::vector<std::string>> filter;
  /// Rows of a slice go to ranks in multiples of this.
  std::int64_t granule = 256;
};

/// This rank's cells of one time.
struct SliceRows {
  /// "12.0", or the category of a time that is no number.
  std::string name;
  double time = 0;
  /// Cells of the slice on all ranks.
  std::int64_t num_cells = 0;
  /// This rank's cells within the slice, in file order: Partition(num_cells, size, granule).
  RowRange rows;
  /// rows x num_features, row-major.
  std::vector<float> features;
  /// rows x 2, values that are not finite among them; empty without an embedding.
  std::vector<float> coordinates;
  /// Mass per cell as stored, or times a power of two where that is far from 1; empty when uniform.
  std::vector<double> weights;
  /// Index into the categories, -1 where missing; empty without annotation.
  std::vector<std::int32_t> labels;
  /// Row of each cell in the file.
  std::vector<std::int64_t> source_rows;
};

struct TimeSeries {
  std::string path;
  std::int64_t file_bytes = 0;
  std::int64_t modified_ns = 0;
  /// Rows of the file, and cells used.
  std::int64_t num_obs = 0;
  std::int64_t num_cells = 0;
  std::int64_t num_features = 0;
  /// Matrix of the coordinates; empty: none were read.
  std::string embedding;
  /// Of the annotation; one "#rrggbb" each, or none.
  std::vector<std::string> categories;
  std::vector<std::string> category_colors;
  std::vector<SliceRows> slices;
  /// "missing_time", "filter", "days" -> cells left out.
  std::map<std::string, std::int64_t> dropped;
  /// Every key read.
  std::vector<KeyInfo> keys;
  /// How the time column was understood, for the log; may be empty.
  std::string note;
  /// This rank's block of the used cells in file order: Partition(num_cells, size).
  RowRange file_block;
  /// Position of each local cell, slice after slice, among the used cells in file order.
  std::vector<std::int64_t> file_order;

  std::int64_t num_local_cells() const { return static_cast<std::int64_t>(file_order.size()); }
};

/// Values of one slice within a vector with one for each local cell, slice after slice.
template <class T>
std::span<const T> of_slice(const std::vector<T>& values, const TimeSeries& series, std::size_t slice) {
  std::size_t first = 0;
  for (std::size_t t = 0; t < slice; ++t) first += static_cast<std::size_t>(series.slices[t].rows.size());
  return {values.data() + first, static_cast<std::size_t>(series.slices[slice].rows.size())};
}

/// Reads the slices. Each rank reads one contiguous slab of the file; rows then go to their owners in
/// blocks of at most 256 MiB, so files sorted by time and shuffled ones cost the same.
/// Throws DataError on all ranks: missing keys, empty times, non-finite features or weights. Collective.
TimeSeries read_time_series(const Communicator& comm, const TimeSeriesRequest& request);

/// Values of this rank's cells (slice after slice, cells x width) in file order of the used cells: the rows of
/// `series.file_block`. For float, double, int32 and int64. Collective.
template <class T>
std::vector<T> to_file_order(const Communicator& comm, const TimeSeries& series, std::span<const T> values,
                             std::size_t width = 1);

/// File rows of the cells of `series.file_block`, ascending. Collective.
std::vector<std::int64_t> source_rows_in_file_order(const Communicator& comm, const TimeSeries& series);

/// Names (index of obs) of the cells of `series.file_block`. Opens the file again; throws DataError when it
/// has changed since. Collective.
std::vector<std::string> read_cell_names(const Communicator& comm, const TimeSeries& series);

/// The same of other rows of the file, ascending; each rank names its own.
std::vector<std::string> read_names_of_rows(const Communicator& comm, const TimeSeries& series, const std::vector<std::int64_t>& rows);

}  // namespace thalweg
