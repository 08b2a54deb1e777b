// Reading the cells of a job.
#pragma once

#include <string>

#include "distributed/communicator.hpp"
#include "io/input_options.hpp"
#include "io/time_series.hpp"
#include "job/run_record.hpp"

namespace thalweg {

/// What [input] asks for, as a request to the reader. @throws DataError for several files
TimeSeriesRequest request_of(const InputOptions& input, const std::string& annotation);

/// Enters what was read into run.json and the log.
void record_input(const TimeSeries& series, RunRecord& record);

}  // namespace thalweg
