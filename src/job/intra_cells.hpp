// Coordinates of the cells of a chain within their own slices, for Gromov-Wasserstein costs.
#pragma once

#include <string>

#include "distributed/communicator.hpp"
#include "io/time_series.hpp"
#include "job/hmot_problem.hpp"

namespace thalweg {

/// Reads coordinates of the slices of one file and appends them to those of the job, the key to those of `series`.
/// Collective. @throws DataError for a key that is missing
/// @param request   with which `series` was read
/// @param option    that names the key
void append_coordinates(const Communicator& comm, TimeSeriesRequest request, const std::string& key,
                        const std::string& option, TimeSeries& series, HmOtJob& job);

/// Makes coordinates part of the rows of all slices. @param has_features   false: of the rows nothing else is kept
void use_coordinates(bool has_features, HmOtJob& job);

}  // namespace thalweg
