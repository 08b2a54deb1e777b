#include "job/intra_cells.hpp"

#include <algorithm>
#include <utility>

#include "io/anndata_reader.hpp"

namespace thalweg {

void append_coordinates(const Communicator& comm, TimeSeriesRequest request, const std::string& key,
                        const std::string& option, TimeSeries& series, HmOtJob& job) {
  AnnDataReader(comm, request.path).matrix(key, option);  // says which key is missing
  request.features = key;
  request.annotation.clear();
  request.embedding.clear();
  TimeSeries places = read_time_series(comm, request);
  for (SliceRows& slice : places.slices) job.coordinates.push_back({std::move(slice.features), places.num_features});
  series.keys.insert(series.keys.end(), places.keys.begin(), places.keys.end());
}

void use_coordinates(bool has_features, HmOtJob& job) {
  std::int64_t width = 0;
  for (const SliceCoordinates& slice : job.coordinates) width = std::max(width, slice.count);
  for (std::size_t t = 0; t < job.coordinates.size(); ++t) {
    RowBlock& rows = job.problem.slices[t].rows;
    rows.dimension = (has_features ? rows.dimension : 0) + width + 1;
    if (!has_features) rows.features = {};
    rows.coordinates = {job.coordinates[t].values, job.coordinates[t].count, width};
  }
}

}  // namespace thalweg
