// Reading the cells of a job.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/input_options.hpp"
#include "io/time_series.hpp"
#include "job/output_options.hpp"
#include "job/run_record.hpp"

namespace thalweg {

/// What [input] asks for, as a request to the reader; coordinates only where plots are made.
/// @throws DataError for several files
TimeSeriesRequest request_of(const InputOptions& input, const OutputOptions& output, const std::string& annotation);

/// [input] with what a side says instead, without times.
InputOptions input_of_side(InputOptions input, const SideOptions& side);

/// [input] of each side where `source` or `target` say anything, else [input] alone, whose two times are the sides.
std::vector<InputOptions> inputs_of_sides(const InputOptions& input, const SideOptions& source, const SideOptions& target);

/// @throws DataError unless there are two slices
void check_two_sides(const std::string& command, std::size_t num_slices, const std::string& path);

/// Enters what was read into run.json and the log.
void record_input(const TimeSeries& series, RunRecord& record);

}  // namespace thalweg
