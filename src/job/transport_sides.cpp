#include "job/transport_sides.hpp"

#include <utility>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "job/index_table.hpp"
#include "job/read_cells.hpp"

namespace thalweg {

namespace {

bool has_own_sides(const Job& job) { return job.source.is_given() || job.target.is_given(); }

/// The rows of all ranks in their order; on one rank without a copy.
template <class T>
std::vector<T> gathered(const Communicator& comm, std::vector<T>& local) {
  if (comm.size() == 1) return std::exchange(local, {});
  std::vector<T> all = comm.all_gather(std::span<const T>(local));
  local = {};
  return all;
}

/// @param in_ring   the features stay on the ranks that own the cells
CellSide side_of(const Communicator& comm, TransportSides& sides, std::size_t file, std::size_t slice, bool in_ring) {
  TimeSeries& series = sides.files[file];
  SliceRows& rows = series.slices[slice];
  CellSide side;
  side.name = rows.name;
  side.file = file;
  side.slice = slice;
  side.num_cells = rows.num_cells;
  side.num_features = series.num_features;
  if (in_ring) side.rows = rows.rows;
  side.features = in_ring ? std::exchange(rows.features, {}) : gathered(comm, rows.features);
  if (!rows.labels.empty() || !series.categories.empty()) side.labels = gathered(comm, rows.labels);
  side.categories = series.categories;
  side.weights = gathered(comm, rows.weights);
  if (side.weights.empty())
    side.weights.assign(static_cast<std::size_t>(side.num_cells), 1.0 / static_cast<double>(side.num_cells));
  return side;
}

/// What is read of the cells of either side in place of what the job says; empty: that.
struct Columns {
  std::string key, annotation;
};

TimeSeries read_side(const Communicator& comm, const Job& job, const SideOptions& options, const std::string& name,
                     const Columns& columns) {
  TimeSeriesRequest request = request_of_cells(input_of_side(job.input, options), columns.annotation);
  if (!columns.key.empty()) request.features = columns.key;
  TimeSeries series = read_time_series(comm, request);
  series.slices[0].name = name;
  return series;
}

std::vector<TimeSeries> read_files(const Communicator& comm, const Job& job, const Columns& columns) {
  std::vector<TimeSeries> files;
  if (has_own_sides(job)) {
    files.push_back(read_side(comm, job, job.source, "source", columns));
    files.push_back(read_side(comm, job, job.target, "target", columns));
  } else {
    TimeSeriesRequest request = request_of_cells(job.input, columns.annotation);
    if (!columns.key.empty()) request.features = columns.key;
    files.push_back(read_time_series(comm, request));
  }
  return files;
}

std::string name_of_pair(const Job& job, const TransportSides& sides) {
  double source = 0.0, target = 0.0;
  if (!sides.share_file()) return "source_target";
  if (parse_number(sides.source.name, source) && parse_number(sides.target.name, target)) return pair_name(source, target);
  return pair_name(job.input.time_key, sides.source.name, sides.target.name);
}

/// A cost matrix has a column per target, or per cell of the target's file: then those of the targets are taken.
void choose_cost_columns(const Communicator& comm, TransportSides& sides) {
  CellSide& source = sides.source;
  const TimeSeries& file = sides.file_of(sides.target);
  const std::int64_t m = sides.target.num_cells;
  if (source.num_features == m) return;
  if (source.num_features != file.num_obs)
    throw DataError("the cost matrix of the source side has " + std::to_string(source.num_features) + " columns; the target side has " +
                    std::to_string(m) + " cells, its file " + std::to_string(file.num_obs) + "; give one column per target cell in file order");
  const std::vector<std::int64_t> columns = comm.all_gather(std::span<const std::int64_t>(sides.slice_of(sides.target).source_rows));
  std::vector<float> chosen;
  chosen.reserve(static_cast<std::size_t>(source.num_cells * m));
  for (std::int64_t i = 0; i < source.num_cells; ++i)
    for (const std::int64_t column : columns) chosen.push_back(source.features[static_cast<std::size_t>(i * source.num_features + column)]);
  source.features = std::move(chosen);
  source.num_features = m;
}

void check_features(const Job& job, const TransportSides& sides) {
  if (sides.source.num_features != sides.target.num_features)
    throw DataError("the sides have " + std::to_string(sides.source.num_features) + " and " + std::to_string(sides.target.num_features) +
                    " features; give keys of the same features with source.key and target.key");
  if (sides.source.num_features == 0) throw DataError("the features " + job.input.joint + " have no columns; give a matrix with at least one");
}

}  // namespace

TimeSeriesRequest request_of_cells(const InputOptions& input, const std::string& annotation) {
  OutputOptions without_plots;
  without_plots.plots = false;
  return request_of(input, without_plots, annotation);
}

const std::string& annotation_of(const Job& job) { return job.transport.labels.empty() ? job.input.annotation : job.transport.labels; }

TransportSides read_two_sides(const Communicator& comm, const Job& job, const std::string& command,
                              const std::string& annotation, bool in_ring) {
  TransportSides sides;
  sides.files = read_files(comm, job, {"", annotation});
  if (sides.share_file()) check_two_sides(command, sides.files[0].slices.size(), sides.files[0].path);
  sides.source = side_of(comm, sides, 0, 0, in_ring);
  sides.target = sides.share_file() ? side_of(comm, sides, 0, 1, in_ring) : side_of(comm, sides, 1, 0, in_ring);
  sides.pair = name_of_pair(job, sides);
  return sides;
}

TransportSides read_one_side(const Communicator& comm, const Job& job, bool is_source, const std::string& annotation) {
  TransportSides sides;
  const std::string name = is_source ? "source" : "target";
  sides.files.push_back(read_side(comm, job, is_source ? job.source : job.target, name, {"", annotation}));
  (is_source ? sides.source : sides.target) = side_of(comm, sides, 0, 0, /*in_ring=*/false);
  sides.pair = name;
  return sides;
}

TransportSides read_transport_sides(const Communicator& comm, const Job& job) {
  const bool in_ring = job.sinkhorn.form == "ring" && job.sinkhorn.cost != "dense";
  TransportSides sides = read_two_sides(comm, job, "transport", annotation_of(job), in_ring);
  if (job.sinkhorn.cost == "dense") {
    choose_cost_columns(comm, sides);
    sides.target.features = {};
    sides.target.num_features = 0;
  } else {
    check_features(job, sides);
  }
  return sides;
}

SideMatrices read_side_matrices(const Communicator& comm, const Job& job, const TransportSides& sides, const std::string& key) {
  std::vector<TimeSeries> files = read_files(comm, job, {key, annotation_of(job)});
  SideMatrices matrices;
  matrices.source_width = files[sides.source.file].num_features;
  matrices.target_width = files[sides.target.file].num_features;
  matrices.source = gathered(comm, files[sides.source.file].slices[sides.source.slice].features);
  matrices.target = gathered(comm, files[sides.target.file].slices[sides.target.slice].features);
  return matrices;
}

}  // namespace thalweg
