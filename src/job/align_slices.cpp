#include "job/align_slices.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "job/labelled_slices.hpp"
#include "job/read_cells.hpp"
#include "job/transport_sides.hpp"

namespace thalweg {

namespace {

template <class T>
std::vector<T> gathered(const Communicator& comm, const std::vector<T>& owned) {
  return comm.all_gather(std::span<const T>(owned));
}

Matrix matrix_of(const std::vector<float>& values, std::int64_t columns) {
  Matrix matrix(static_cast<std::int64_t>(values.size()) / columns, columns);
  std::copy(values.begin(), values.end(), matrix.values.begin());
  return matrix;
}

std::vector<double> shares_of(std::vector<double> weights, std::int64_t count) {
  if (weights.empty()) weights.assign(static_cast<std::size_t>(count), 1.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Appends the slices of one file.
void add_file(const Communicator& comm, const InputOptions& input, const std::string& name, AlignSlices& result) {
  TimeSeriesRequest request = request_of_cells(input, "");
  TimeSeries series = read_time_series(comm, request);
  AnnDataReader(comm, request.path).matrix(input.spatial, "input.spatial");  // says which key is missing
  request.features = input.spatial;
  TimeSeries places = read_time_series(comm, request);
  if (places.num_features != 2 && places.num_features != 3)
    throw DataError(input.spatial + " of " + series.path + " has " + std::to_string(places.num_features) +
                    " columns; places have 2 or 3 coordinates; correct input.spatial");
  for (std::size_t t = 0; t < series.slices.size(); ++t) {
    SliceRows& rows = series.slices[t];
    if (!name.empty()) rows.name = name;
    AlignSlice slice{rows.name,
                     result.files.size(),
                     t,
                     series.num_features,
                     gathered(comm, rows.features),
                     matrix_of(gathered(comm, places.slices[t].features), places.num_features),
                     shares_of(gathered(comm, rows.weights), rows.num_cells)};
    rows.features = {};
    result.slices.push_back(std::move(slice));
  }
  series.keys.insert(series.keys.end(), places.keys.begin(), places.keys.end());
  result.files.push_back(std::move(series));
}

void check_slices(const AlignSlices& result) {
  const AlignSlice& first = result.slices[0];
  if (result.slices.size() < 2)
    throw DataError("align has " + std::to_string(result.slices.size()) + " slice in " + result.files[0].path +
                    "; two or more are needed; name them in input.days, or give [source] and [target]");
  for (const AlignSlice& slice : result.slices) {
    if (slice.num_features != first.num_features)
      throw DataError("slices " + first.name + " and " + slice.name + " have " + std::to_string(first.num_features) +
                      " and " + std::to_string(slice.num_features) + " features; give keys of the same features");
    if (slice.places.columns != first.places.columns)
      throw DataError("slices " + first.name + " and " + slice.name + " have " + std::to_string(first.places.columns) +
                      " and " + std::to_string(slice.places.columns) +
                      " coordinates; give keys of the same dimensions");
  }
}

/// Mean squared distance from the weighted middle.
double spread_of(const AlignSlice& slice) {
  const auto d = static_cast<std::size_t>(slice.places.columns);
  std::vector<double> mean(d, 0.0);
  double square = 0.0;
  for (std::int64_t i = 0; i < slice.num_places(); ++i)
    for (std::size_t k = 0; k < d; ++k) mean[k] += slice.weights[static_cast<std::size_t>(i)] * slice.places.row(i)[k];
  for (std::int64_t i = 0; i < slice.num_places(); ++i)
    for (std::size_t k = 0; k < d; ++k)
      square += slice.weights[static_cast<std::size_t>(i)] * std::pow(slice.places.row(i)[k] - mean[k], 2);
  return square;
}

double pooled_radius(const std::vector<AlignSlice>& slices) {
  double square = 0.0, largest = 0.0;
  for (const AlignSlice& slice : slices) {
    square += spread_of(slice) / static_cast<double>(slices.size());
    for (const double x : slice.places.values) largest = std::max(largest, std::abs(x));
  }
  constexpr double rounding = 1e-12;
  if (!(std::sqrt(square) > rounding * largest))
    throw DataError("all places of every slice are the same; places must differ; correct input.spatial");
  return std::sqrt(square);
}

}  // namespace

std::size_t AlignSlices::neighbour_of(std::size_t slice, bool is_star) const {
  if (is_star) return reference;
  return slice > reference ? slice - 1 : slice + 1;
}

std::vector<std::size_t> AlignSlices::order() const {
  std::vector<std::size_t> order;
  for (std::size_t t = reference + 1; t < slices.size(); ++t) order.push_back(t);
  for (std::size_t t = reference; t-- > 0;) order.push_back(t);
  return order;
}

AlignSlices read_align_slices(const Communicator& comm, const Job& job) {
  AlignSlices result;
  if (job.source.is_given() || job.target.is_given()) {
    add_file(comm, input_of_side(job.input, job.source), "source", result);
    add_file(comm, input_of_side(job.input, job.target), "target", result);
  } else {
    add_file(comm, job.input, "", result);
  }
  check_slices(result);
  std::vector<std::string> names;
  for (const AlignSlice& slice : result.slices) names.push_back(slice.name);
  if (!job.problem.reference.empty()) result.reference = find_slice(names, job.problem.reference, "problem.reference");
  result.radius = pooled_radius(result.slices);
  return result;
}

}  // namespace thalweg
