// Memberships that [hmot.fix.q] gives: a matrix with a row per cell and a column per type.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/time_series.hpp"
#include "solvers/hm_ot_options.hpp"

namespace thalweg {

/// Of this rank's cells of one slice.
struct GivenMemberships {
  std::string key;             // "obsm/Q0"
  std::int64_t num_types = 0;  // its columns
  std::vector<float> shares;   // cells x num_types, >= 0, each row of positive sum, as stored
};

/// Reads the matrices that `options.fix_q` names, for the cells of their slices only, and adds them to the keys of
/// `series`. Collective. @param request   with which `series` was read
/// @throws DataError naming key and row: not finite, negative, a row without any share; unknown times and keys
/// @return one per slice of the series, empty where nothing is given
std::vector<std::optional<GivenMemberships>> read_given_memberships(const Communicator& comm, const HmOtOptions& options,
                                                                    const TimeSeriesRequest& request, TimeSeries& series);

}  // namespace thalweg
