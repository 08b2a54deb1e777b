#include "job/given_memberships.hpp"

#include <algorithm>
#include <limits>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "job/labelled_slices.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t no_row = std::numeric_limits<std::int64_t>::max();

/// What is wrong with one row of shares; nothing when it is good.
std::optional<std::string> defect_of(std::span<const float> row) {
  double sum = 0.0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (!(row[k] >= 0.0f)) return "is " + shortest_number(static_cast<double>(row[k])) + " in column " + std::to_string(k);
    sum += static_cast<double>(row[k]);
  }
  if (!(sum > 0.0)) return "has no membership in any type";
  return std::nullopt;
}

/// Refuses the first bad row of the file, wherever it lies.
void check_shares(const Communicator& comm, const SliceRows& slice, std::size_t num_types, const std::string& place) {
  std::int64_t first_row = no_row;
  std::string defect;
  for (std::size_t i = 0; i < slice.source_rows.size(); ++i)
    if (const auto found = defect_of(std::span(slice.features).subspan(i * num_types, num_types)); found && slice.source_rows[i] < first_row) {
      first_row = slice.source_rows[i];
      defect = *found;
    }
  const std::int64_t first_of_all = comm.all_reduce(first_row, Reduction::min);
  if (first_of_all == no_row) return;
  comm.on_all([&] {
    if (first_row == first_of_all)
      throw DataError("row " + std::to_string(first_row) + " of " + place + ", given by hmot.fix.q at time " + slice.name + ", " + defect +
                      "; memberships are finite, not negative and not all 0 in a row; correct them or leave the cell out with input.filter");
  });
}

GivenMemberships read_slice(const Communicator& comm, const std::string& key, TimeSeriesRequest request, const std::string& slice_name,
                            TimeSeries& series) {
  AnnDataReader(comm, request.path).matrix(key, "hmot.fix.q");  // refused by its own name when it is missing
  request.features = key;
  request.days = {slice_name};
  request.annotation = request.weights = "";
  TimeSeries memberships = read_time_series(comm, request);
  series.keys.push_back(memberships.keys.back());
  check_shares(comm, memberships.slices[0], static_cast<std::size_t>(memberships.num_features), key + " of " + request.path);
  return {key, memberships.num_features, std::move(memberships.slices[0].features)};
}

}  // namespace

std::vector<std::optional<GivenMemberships>> read_given_memberships(const Communicator& comm, const HmOtOptions& options,
                                                                    const TimeSeriesRequest& request, TimeSeries& series) {
  std::vector<std::string> names;
  for (const SliceRows& slice : series.slices) names.push_back(slice.name);
  std::vector<std::optional<GivenMemberships>> given(names.size());
  for (const auto& [time, key] : options.fix_q) {
    const std::size_t t = find_slice(names, time, "hmot.fix.q");
    if (given[t]) throw DataError("time " + names[t] + " stands twice in hmot.fix.q; name each time once");
    given[t] = read_slice(comm, key, request, names[t], series);
  }
  return given;
}

}  // namespace thalweg
