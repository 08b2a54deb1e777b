#include "io/time_series.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "distributed/error.hpp"
#include "io/cell_routes.hpp"
#include "io/row_exchange.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t block_bytes = std::int64_t{256} << 20;
constexpr std::int64_t names_per_block = std::int64_t{1} << 20;
constexpr std::int64_t no_row = std::numeric_limits<std::int64_t>::max();

/// Splits values of all local cells into the slices' vectors.
template <class T>
void distribute(const std::vector<T>& values, std::size_t width, std::vector<SliceRows>& slices, std::vector<T> SliceRows::*member) {
  auto begin = values.begin();
  for (SliceRows& slice : slices) {
    const auto end = begin + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(slice.rows.size()) * width);
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

/// Non-finite values of used cells: how many, and where the first stands.
struct NonFinite {
  std::int64_t count = 0;
  std::int64_t row = no_row;
  std::int64_t column = 0;

  void look_at(const float* values, std::int64_t width, std::int64_t file_row) {
    for (std::int64_t j = 0; j < width; ++j) {
      if (std::isfinite(values[j])) continue;
      if (count++ == 0) row = file_row, column = j;
    }
  }

  void require_none(const Communicator& comm, const std::string& where) const {
    const std::int64_t total = comm.all_reduce(count, Reduction::sum);
    if (total == 0) return;
    const std::int64_t first_row = comm.all_reduce(row, Reduction::min);
    const std::int64_t first_column = comm.all_reduce(row == first_row ? column : no_row, Reduction::min);
    throw DataError(where + " has " + std::to_string(total) + " non-finite values, first at row " + std::to_string(first_row) +
                    " column " + std::to_string(first_column) + "; remove those cells or recompute");
  }
};

/// Features of the local cells, slice after slice.
class FeatureReader {
 public:
  FeatureReader(const AnnDataReader& reader, const Matrix& matrix, const CellRoutes& routes)
      : reader_(reader), matrix_(matrix), routes_(routes) {}

  std::vector<float> read() {
    const Communicator& comm = reader_.comm();
    const auto width = static_cast<std::size_t>(matrix_.num_columns());
    std::vector<float> features;
    comm.on_all([&] { features.resize(static_cast<std::size_t>(routes_.num_local_cells) * width); });
    if (matrix_.is_sparse()) sparse_ = matrix_.read_sparse(routes_.slab, &checksum_);
    const std::int64_t rows_per_block = std::max<std::int64_t>(1, block_bytes / std::max<std::int64_t>(4, 4 * matrix_.num_columns()));
    const std::int64_t rows = routes_.slab.size();
    const std::int64_t blocks = comm.all_reduce((rows + rows_per_block - 1) / rows_per_block, Reduction::max);
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t begin = std::min(block * rows_per_block, rows), end = std::min(begin + rows_per_block, rows);
      const std::vector<float> values = read_block({begin, end});
      look_for_non_finite(values, {begin, end});
      send_rows(comm, routes_.to_slices.part(static_cast<std::size_t>(begin), static_cast<std::size_t>(end)),
                std::span<const float>(values), width, std::span<float>(features));
    }
    non_finite_.require_none(comm, matrix_.key() + " of " + reader_.file().path());
    return features;
  }

  KeyInfo info() const {
    return {matrix_.key(), {matrix_.num_rows(), matrix_.num_columns()}, matrix_.type(),
            reader_.comm().all_reduce(checksum_, Reduction::sum)};
  }

 private:
  /// @param rows  counted from the first row of the slab
  std::vector<float> read_block(RowRange rows) {
    if (!matrix_.is_sparse())
      return matrix_.read_dense({routes_.slab.begin + rows.begin, routes_.slab.begin + rows.end}, &checksum_);
    std::vector<float> values;
    reader_.comm().on_all([&] { values = densify(sparse_, rows, matrix_.num_columns()); });
    return values;
  }

  void look_for_non_finite(const std::vector<float>& values, RowRange rows) {
    const std::int64_t width = matrix_.num_columns();
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      if (routes_.is_used(static_cast<std::size_t>(row)))
        non_finite_.look_at(values.data() + (row - rows.begin) * width, width, routes_.slab.begin + row);
  }

  const AnnDataReader& reader_;
  const Matrix& matrix_;
  const CellRoutes& routes_;
  SparseRows sparse_;
  NonFinite non_finite_;
  std::uint64_t checksum_ = 0;
};

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
  distribute(route(reader.comm(), routes, weights), 1, series.slices, &SliceRows::weights);
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
  distribute(route(comm, routes, move_to_slab(comm, routes.range, labels.codes, share.begin)), 1, series.slices, &SliceRows::labels);
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
  distribute(route(comm, routes, rows), 1, series.slices, &SliceRows::source_rows);
  series.file_order = route(comm, routes, routes.file_order);
  series.file_block = Partition(series.num_cells, comm.size()).rows_of(comm.rank());
}

}  // namespace

TimeSeries read_time_series(const Communicator& comm, const TimeSeriesRequest& request) {
  const AnnDataReader reader(comm, request.path);
  const Matrix matrix = reader.matrix(request.features, "input.joint");
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
  FeatureReader features(reader, matrix, routes);
  distribute(features.read(), static_cast<std::size_t>(matrix.num_columns()), series.slices, &SliceRows::features);
  series.keys.push_back(features.info());
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
  const std::vector<std::int64_t> rows = source_rows_in_file_order(comm, series);
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
