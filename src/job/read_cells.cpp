#include "job/read_cells.hpp"

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

TimeSeriesRequest request_of(const InputOptions& input, const OutputOptions& output, const std::string& annotation) {
  if (input.file.size() != 1)
    throw DataError("input.file names " + std::to_string(input.file.size()) +
                    " files; this version reads one: concatenate them with anndata.concat");
  TimeSeriesRequest request;
  request.path = input.file[0];
  request.time_key = input.time_key;
  request.features = input.joint;
  request.annotation = annotation;
  if (output.plots) request.embedding = input.embedding;
  request.embedding_may_be_absent = input.embedding == default_embedding;
  request.weights = input.weights;
  request.days = input.days;
  for (const auto& [column, values] : input.filter) request.filter[column] = values;
  request.granule = block_rows;
  return request;
}

InputOptions input_of_side(InputOptions input, const SideOptions& side) {
  if (!side.file.empty()) input.file = side.file;
  if (!side.filter.empty()) input.filter = side.filter;
  if (!side.key.empty()) input.joint = side.key;
  if (!side.spatial.empty()) input.spatial = side.spatial;
  if (!side.weights.empty()) input.weights = side.weights;
  input.time_key.clear();
  input.days.clear();
  return input;
}

std::vector<InputOptions> inputs_of_sides(const InputOptions& input, const SideOptions& source, const SideOptions& target) {
  if (!source.is_given() && !target.is_given()) return {input};
  return {input_of_side(input, source), input_of_side(input, target)};
}

void check_two_sides(const std::string& command, std::size_t num_slices, const std::string& path) {
  if (num_slices == 2) return;
  throw DataError(command + " has " + std::to_string(num_slices) + " times in " + path +
                  "; two sides are needed; name two times in input.days, or give [source] and [target]");
}

void record_input(const TimeSeries& series, RunRecord& record) {
  InputRecord input;
  input.path = series.path;
  for (const KeyInfo& key : series.keys) input.keys.push_back({key.key, key.shape, key.type, hexadecimal(key.fingerprint)});
  record.add_input(input);
  if (!series.note.empty()) log_info(series.note);
  for (const auto& [reason, count] : series.dropped) {
    if (count == 0) continue;
    record.add_dropped(reason, count);
    if (reason == "missing_time") log_warning("dropped_cells", std::to_string(count) + " cells of " + series.path + " have no time and are left out");
  }
}

}  // namespace thalweg
