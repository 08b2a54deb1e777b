// From the cells and options of a job to the problem that the HM-OT solver takes.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/time_series.hpp"
#include "job/given_memberships.hpp"
#include "solvers/hm_ot/hm_ot.hpp"
#include "solvers/hm_ot_options.hpp"

namespace thalweg {

/// Coordinates of the owned rows of one slice within it, rows x count.
struct SliceCoordinates {
  std::vector<float> values;
  std::int64_t count = 0;
};

/// The problem with the names of its types. Views into the series, `labels`, `memberships` and `coordinates`
/// stay valid while these live.
struct HmOtJob {
  HmOtProblem problem;
  std::vector<std::string> slice_names;
  std::vector<std::vector<std::string>> type_names;  // per slice
  std::vector<std::vector<std::int32_t>> labels;     // storage of fixed labels, per slice
  std::vector<std::optional<GivenMemberships>> memberships;  // storage of given ones, per slice
  std::vector<SliceCoordinates> coordinates;         // storage, per slice; empty: the cost is between features alone
};

/// Applies the mode and the tables fix.labels, fix.q, fix.g, fix.t and mask. Rows of `series` are normalised for
/// cosine costs. Collective.
/// @param request   with which `series` was read
/// @param spatial   key of the coordinates, which options.alpha > 0 takes
/// @throws DataError for what the data do not allow: one time, fewer distinct cells than types, cells
///         without a label, bad memberships, unknown types in tables
HmOtJob make_hmot_job(const Communicator& comm, const HmOtOptions& options, const TimeSeriesRequest& request, const std::string& spatial,
                      TimeSeries& series);

/// What the options of hmot and lowrank have under the same names.
template <class Options>
HmOtSettings settings_of(const Options& options) {
  HmOtSettings settings;
  settings.start = options.init == "kmeans" ? Start::kmeans : options.init == "random" ? Start::random : Start::transport;
  settings.restarts = static_cast<int>(options.restarts);
  settings.epsilon_end = options.epsilon_end;
  settings.tolerance = options.tolerance;
  settings.inner_tolerance = options.inner_tolerance.value_or(0.0);
  settings.max_iterations = static_cast<int>(options.max_iterations);
  settings.min_type_mass = options.min_type_mass.value_or(0.0);
  return settings;
}

/// Normalises the rows of all slices to length 1. @throws DataError naming the first zero row
void normalise_rows(const Communicator& comm, const std::string& key, TimeSeries& series);

/// Refuses a slice with fewer distinct rows than types. Collective.
void check_distinct_rows(const Communicator& comm, const HmOtSlice& slice);

}  // namespace thalweg
