#include "io/time_series.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distributed/error.hpp"
#include "io/cell_routes.hpp"
#include "io/slice_features.hpp"
#include "io/row_exchange.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t names_per_block = std::int64_t{1} << 20;

/// Splits values of all local cells into the slices' vectors.
template <class T>
void distribute(const std::vector<T>& values, std::vector<SliceRows>& slices, std::vector<T> SliceRows::*member) {
  auto begin = values.begin();
  for (SliceRows& slice : slices) {
    const auto end = begin + static_cast<std::ptrdiff_t>(slice.rows.size());
    (slice.*member).assign(begin, end);
    begin = end;
  }
}

template <class T>
std::vector<T> route(const Communicator& comm, const CellRoutes& routes, const std::vector<T>& values) {
  std::vector<T> target(static_cast<std::size_t>(routes.num_local_cells));
  send_rows(comm, routes.to_slices, std::span<const T>(values), 1, std::span<T>(target));
  return target;
}

/// Refuses times without any weight. Weights that float32 cannot hold are scaled by a power of two: only their ratios count.
void check_weights(const Communicator& comm, const std::string& place, std::vector<SliceRows>& slices) {
  for (SliceRows& slice : slices) {
    double largest = 0;
    for (const double weight : slice.weights) largest = std::max(largest, weight);
    largest = comm.all_reduce(largest, Reduction::max);
    if (largest == 0)
      throw DataError("all weights of time " + slice.name + " in " + place + " are 0; give some cells a weight or leave the time out with input.days");
    if (const int exponent = std::ilogb(largest); std::abs(exponent) > 60)
      for (double& weight : slice.weights) weight = std::ldexp(weight, -exponent);
  }
}

void read_weights(const AnnDataReader& reader, const std::string& key, const CellRoutes& routes, TimeSeries& series) {
  const Column column = reader.column(key, "input.weights");
  std::uint64_t checksum = 0;
  const std::vector<double> weights = reader.obs().read_numbers(column, routes.slab, &checksum);
  reader.comm().on_all([&] {
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (routes.is_used(i) && !(std::isfinite(weights[i]) && weights[i] >= 0))
        throw DataError("weight " + std::to_string(weights[i]) + " at row " + std::to_string(routes.slab.begin + static_cast<std::int64_t>(i)) +
                        " of obs/" + column.name + " in " + reader.file().path() + "; weights are finite and not negative; "
                        "correct the column or remove input.weights");
  });
  distribute(route(reader.comm(), routes, weights), series.slices, &SliceRows::weights);
  check_weights(reader.comm(), "obs/" + column.name + " of " + reader.file().path(), series.slices);
  series.keys.push_back(column_info(reader, column, checksum));
}

// Labels of all rows are read, not only of the slab: the categories of a text column are then those of the file.
void read_annotation(const AnnDataReader& reader, const std::string& key, const CellRoutes& routes, TimeSeries& series) {
  const Communicator& comm = reader.comm();
  const Column column = reader.column(key, "input.annotation");
  std::uint64_t checksum = 0;
  const RowRange share = Partition(reader.num_obs(), comm.size()).rows_of(comm.rank());
  Labels labels = reader.obs().read_labels(column, share, &checksum);
  series.categories = labels.categories;
  series.category_colors = reader.colors(column.name, labels.categories.size());
  series.keys.push_back(column_info(reader, column, checksum));
  distribute(route(comm, routes, move_to_slab(comm, routes.range, labels.codes, share.begin)), series.slices, &SliceRows::labels);
}

void make_slices(const Selection& selection, const CellRoutes& routes, TimeSeries& series) {
  for (std::size_t s = 0; s < selection.slices.size(); ++s) {
    SliceRows slice;
    slice.name = selection.slices[s].name;
    slice.time = selection.slices[s].time;
    slice.num_cells = selection.slice_sizes[s];
    slice.rows = routes.slice_rows[s];
    series.slices.push_back(std::move(slice));
  }
}

void record_rows(const Communicator& comm, const CellRoutes& routes, TimeSeries& series) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(routes.slab.size()));
  std::iota(rows.begin(), rows.end(), routes.slab.begin);
  distribute(route(comm, routes, rows), series.slices, &SliceRows::source_rows);
  series.file_order = route(comm, routes, routes.file_order);
  series.file_block = Partition(series.num_cells, comm.size()).rows_of(comm.rank());
}

}  // namespace

TimeSeries read_time_series(const Communicator& comm, const TimeSeriesRequest& request) {
  const AnnDataReader reader(comm, request.path);
  const StoredMatrix matrix = open_features(reader, request.features);
  Selection selection = select_cells(reader, {request.time_key, request.days, request.filter});
  const CellRoutes routes = make_cell_routes(comm, selection, reader.num_obs(), request.granule);

  TimeSeries series;
  series.path = request.path;
  series.file_bytes = reader.file().file_bytes();
  series.modified_ns = reader.file().modified_ns();
  series.num_obs = reader.num_obs();
  series.num_cells = std::accumulate(selection.slice_sizes.begin(), selection.slice_sizes.end(), std::int64_t{0});
  series.num_features = matrix.num_columns();
  series.dropped = selection.dropped;
  series.keys = selection.keys;
  series.note = selection.note;
  make_slices(selection, routes, series);
  record_rows(comm, routes, series);
  if (!request.weights.empty()) read_weights(reader, request.weights, routes, series);
  if (!request.annotation.empty()) read_annotation(reader, request.annotation, routes, series);
  series.keys.push_back(read_features(reader, matrix, routes, series.slices));
  if (const auto embedding = find_embedding(reader, request)) {
    series.embedding = embedding->key();
    const KeyInfo info = read_coordinates(reader, *embedding, routes, series.slices);
    if (embedding->key() != matrix.key()) series.keys.push_back(info);
  }
  return series;
}

template <class T>
std::vector<T> to_file_order(const Communicator& comm, const TimeSeries& series, std::span<const T> values, std::size_t width) {
  std::vector<T> block(static_cast<std::size_t>(series.file_block.size()) * width);
  const Partition partition(series.num_cells, comm.size());
  send_rows(comm, destinations_of(series.file_order, partition), values, width, std::span<T>(block));
  return block;
}

template std::vector<float> to_file_order(const Communicator&, const TimeSeries&, std::span<const float>, std::size_t);
template std::vector<double> to_file_order(const Communicator&, const TimeSeries&, std::span<const double>, std::size_t);
template std::vector<std::int32_t> to_file_order(const Communicator&, const TimeSeries&, std::span<const std::int32_t>, std::size_t);
template std::vector<std::int64_t> to_file_order(const Communicator&, const TimeSeries&, std::span<const std::int64_t>, std::size_t);

std::vector<std::int64_t> source_rows_in_file_order(const Communicator& comm, const TimeSeries& series) {
  std::vector<std::int64_t> rows;
  for (const SliceRows& slice : series.slices) rows.insert(rows.end(), slice.source_rows.begin(), slice.source_rows.end());
  return to_file_order(comm, series, std::span<const std::int64_t>(rows));
}

std::vector<std::string> read_cell_names(const Communicator& comm, const TimeSeries& series) {
  return read_names_of_rows(comm, series, source_rows_in_file_order(comm, series));
}

std::vector<std::string> read_names_of_rows(const Communicator& comm, const TimeSeries& series, const std::vector<std::int64_t>& rows) {
  const AnnDataReader reader(comm, series.path);
  if (reader.file().file_bytes() != series.file_bytes || reader.file().modified_ns() != series.modified_ns)
    throw DataError("file " + series.path + " has changed while it was in use; run again");
  const RowRange range = rows.empty() ? RowRange{} : RowRange{rows.front(), rows.back() + 1};
  const std::int64_t blocks = comm.all_reduce((range.size() + names_per_block - 1) / names_per_block, Reduction::max);
  std::vector<std::string> names;
  auto next = rows.begin();
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t begin = std::min(range.begin + block * names_per_block, range.end);
    const std::int64_t end = std::min(begin + names_per_block, range.end);
    std::vector<std::string> texts = reader.obs().read_index({begin, end});
    for (; next != rows.end() && *next < end; ++next) names.push_back(std::move(texts[static_cast<std::size_t>(*next - begin)]));
  }
  return names;
}

}  // namespace thalweg
