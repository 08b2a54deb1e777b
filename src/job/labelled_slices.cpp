#include "job/labelled_slices.hpp"

#include <charconv>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/names.hpp"

namespace thalweg {

SliceLabels labels_of_slice(const Communicator& comm, const TimeSeries& series, std::size_t slice) {
  const std::vector<std::int32_t>& codes = series.slices[slice].labels;
  std::vector<std::int64_t> counts(series.categories.size() + 1, 0);  // last: missing
  for (const std::int32_t code : codes) ++counts[code < 0 ? series.categories.size() : static_cast<std::size_t>(code)];
  comm.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);
  SliceLabels result;
  std::vector<std::int32_t> index_of_code(series.categories.size(), -1);
  for (std::size_t code = 0; code < series.categories.size(); ++code)
    if (counts[code] > 0) {
      index_of_code[code] = static_cast<std::int32_t>(result.names.size());
      result.names.push_back(series.categories[code]);
    }
  for (const std::int32_t code : codes) result.labels.push_back(code < 0 ? -1 : index_of_code[static_cast<std::size_t>(code)]);
  result.num_missing = counts.back();
  return result;
}

SliceLabels complete_labels_of_slice(const Communicator& comm, const TimeSeries& series, const std::string& annotation, std::size_t slice) {
  SliceLabels labels = labels_of_slice(comm, series, slice);
  if (labels.num_missing > 0)
    throw DataError(std::to_string(labels.num_missing) + " of " + std::to_string(series.slices[slice].num_cells) + " cells of time " +
                    series.slices[slice].name + " have no label in obs column '" + annotation + "' of " + series.path +
                    "; label them or leave them out with input.filter");
  return labels;
}

std::vector<double> label_masses(const Communicator& comm, const RowBlock& rows, const SliceLabels& labels, const std::string& slice_name) {
  RowBlock weights = rows;
  weights.dimension = 0;  // no sums of features
  const std::vector<double> masses = label_sums(comm, weights, {}, row_moments(comm, weights, {}), labels.labels, static_cast<std::int64_t>(labels.names.size())).masses;
  for (std::size_t k = 0; k < masses.size(); ++k)
    if (!(masses[k] > 0.0))
      throw DataError("all cells of category '" + labels.names[k] + "' at time " + slice_name + " have weight 0; give one a weight or leave them out with input.filter");
  return masses;
}

std::optional<std::size_t> slice_named(const std::vector<std::string>& slice_names, const std::string& key) {
  for (std::size_t t = 0; t < slice_names.size(); ++t)
    if (slice_names[t] == key) return t;
  double wanted = 0.0, time = 0.0;
  if (parse_number(key, wanted))
    for (std::size_t t = 0; t < slice_names.size(); ++t)
      if (parse_number(slice_names[t], time) && time == wanted) return t;
  return std::nullopt;
}

std::size_t find_slice(const std::vector<std::string>& slice_names, const std::string& key, const std::string& option) {
  if (const auto slice = slice_named(slice_names, key)) return *slice;
  throw DataError("time '" + key + "' in " + option + " is none of the job; times: " + join(slice_names, ", ") +
                  "; name one of them");
}

}  // namespace thalweg
