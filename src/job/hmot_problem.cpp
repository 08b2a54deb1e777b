#include "job/hmot_problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "job/intra_cells.hpp"
#include "job/labelled_slices.hpp"
#include "job/type_tables.hpp"

namespace thalweg {

namespace {

/// Obs column of an entry of fix.labels, without the optional "obs/".
std::string column_of(const std::string& value) { return value.starts_with("obs/") ? value.substr(4) : value; }

std::vector<std::int64_t> ranks_of_slices(const HmOtOptions& options, const std::vector<std::string>& slices) {
  if (options.rank.size() == 1) return std::vector<std::int64_t>(slices.size(), options.rank[0]);
  if (options.rank.size() != slices.size())
    throw DataError("hmot.rank has " + std::to_string(options.rank.size()) + " entries for " + std::to_string(slices.size()) +
                    " times (" + join(slices, ", ") + "); give one number, or one per time");
  return options.rank;
}

std::vector<std::string> default_names(const std::string& slice, std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < count; ++k) names.push_back("t" + slice + "_" + std::to_string(k));
  return names;
}

/// Which slices have the labels of the annotation as memberships.
std::vector<bool> labelled_slices(const HmOtOptions& options, const std::string& annotation, const HmOtJob& job) {
  const std::vector<std::string>& slices = job.slice_names;
  std::vector<bool> is_labelled(slices.size(), options.mode == "supervised" && options.fix_labels.empty());
  if (options.mode == "transfer" && options.fix_labels.empty()) {
    if (options.reference.empty()) throw DataError("hmot.mode = \"transfer\" needs hmot.reference; times: " + join(slices, ", "));
    is_labelled[find_slice(slices, options.reference, "hmot.reference")] = true;
  }
  for (std::size_t t = 0; t < slices.size(); ++t)
    if (job.memberships[t]) is_labelled[t] = false;
  for (const auto& [time, column] : options.fix_labels) {
    const std::size_t t = find_slice(slices, time, "hmot.fix.labels");
    if (column_of(column) != annotation)
      throw DataError("hmot.fix.labels names obs column '" + column_of(column) + "' while input.annotation is '" + annotation +
                      "'; this version reads one label column: make them equal");
    if (job.memberships[t])
      throw DataError("time " + slices[t] + " stands in hmot.fix.labels and in hmot.fix.q; memberships are given once: remove one of them");
    is_labelled[t] = true;
  }
  const bool any = std::find(is_labelled.begin(), is_labelled.end(), true) != is_labelled.end();
  if (any && annotation.empty()) throw DataError("labels are to be fixed, but input.annotation is empty; name an obs column of labels");
  return is_labelled;
}

void fix_labels(const Communicator& comm, const TimeSeries& series, const std::string& annotation, std::size_t slice, HmOtJob& job) {
  SliceLabels labels = complete_labels_of_slice(comm, series, annotation, slice);
  job.labels[slice] = std::move(labels.labels);
  job.type_names[slice] = std::move(labels.names);
  job.problem.slices[slice].labels = job.labels[slice];
  job.problem.slices[slice].num_types = static_cast<std::int64_t>(job.type_names[slice].size());
}

void set_types(const HmOtOptions& options, std::int64_t count, std::size_t slice, HmOtJob& job) {
  job.problem.slices[slice].num_types = count;
  const std::string& name = job.slice_names[slice];
  job.type_names[slice] = default_names(name, count);
  for (const auto& [key, names] : options.names) {
    if (find_slice(job.slice_names, key, "hmot.names") != slice) continue;
    if (static_cast<std::int64_t>(names.size()) != count)
      throw DataError("hmot.names of time " + name + " has " + std::to_string(names.size()) + " names for " + std::to_string(count) + " types");
    job.type_names[slice] = names;
  }
}

/// Splits "t0:t1" and checks that the times are neighbours. Times themselves may hold colons.
std::size_t find_transition(const std::vector<std::string>& slices, const std::string& key, const std::string& option) {
  const std::size_t colon = key.find(':');
  for (std::size_t at = colon; at != std::string::npos; at = key.find(':', at + 1)) {
    const auto first = slice_named(slices, key.substr(0, at)), second = slice_named(slices, key.substr(at + 1));
    if (!first || !second) continue;
    if (*second == *first + 1) return *first;
    throw DataError("'" + key + "' in " + option + " does not name two neighbouring times; times: " + join(slices, ", "));
  }
  if (colon != std::string::npos) {
    find_slice(slices, key.substr(0, colon), option);
    find_slice(slices, key.substr(colon + 1), option);
  }
  throw DataError("'" + key + "' in " + option + " is not of the form t0:t1; times: " + join(slices, ", "));
}

/// fix.g = "labels": the masses of the categories of that slice, and as many types.
void apply_label_masses(const Communicator& comm, const HmOtOptions& options, const TimeSeries& series, const std::string& annotation, HmOtJob& job) {
  for (const auto& [key, word] : options.fix_g) {
    if (word != "labels") continue;
    const std::size_t t = find_slice(job.slice_names, key, "hmot.fix.g");
    if (annotation.empty())
      throw DataError("hmot.fix.g = \"labels\" at time " + job.slice_names[t] + " needs labels, but input.annotation is empty; name an obs column of labels");
    HmOtSlice& slice = job.problem.slices[t];
    slice.masses = label_masses(comm, slice.rows, complete_labels_of_slice(comm, series, annotation, t), job.slice_names[t]);
    const auto count = static_cast<std::int64_t>(slice.masses->size());
    if (slice.num_types != 0 && slice.num_types != count)
      throw DataError("hmot.fix.g = \"labels\" at time " + job.slice_names[t] + " has " + std::to_string(count) + " categories of '" + annotation +
                      "' for the " + std::to_string(slice.num_types) + " types of its memberships; remove one of them");
    slice.num_types = count;
  }
}

void apply_tables(const Communicator& comm, const HmOtOptions& options, HmOtJob& job) {
  for (const auto& [key, path] : options.fix_g) {
    const std::size_t t = find_slice(job.slice_names, key, "hmot.fix.g");
    if (path == "labels") continue;  // set before the types were named
    job.problem.slices[t].masses = read_type_masses(comm, path, job.type_names[t]);
  }
  for (const auto& [key, path] : options.fix_t) {
    const std::size_t t = find_transition(job.slice_names, key, "hmot.fix.t");
    job.problem.transitions[t].coupling = read_coupling(comm, path, job.type_names[t], job.type_names[t + 1]);
  }
  for (const auto& [key, path] : options.mask) {
    const std::size_t t = find_transition(job.slice_names, key, "hmot.mask");
    job.problem.transitions[t].allowed = read_mask(comm, path, job.type_names[t], job.type_names[t + 1], options.mask_mode == "forbid");
  }
}

/// Unmasked identity edges of transfer and cocluster.
void apply_mode(const HmOtOptions& options, HmOtJob& job) {
  const bool is_diagonal = options.mode == "cocluster" || (options.mode == "transfer" && options.identity);
  for (std::size_t t = 0; t < job.problem.transitions.size(); ++t) {
    job.problem.transitions[t].weight = options.cost == "cosine" ? 0.5 : 1.0;
    job.problem.transitions[t].is_diagonal = is_diagonal;
    if (is_diagonal && job.problem.slices[t].num_types != job.problem.slices[t + 1].num_types)
      throw DataError("hmot.mode = \"" + options.mode + "\" needs equal numbers of types; times " + job.slice_names[t] + " and " +
                      job.slice_names[t + 1] + " have " + std::to_string(job.problem.slices[t].num_types) + " and " +
                      std::to_string(job.problem.slices[t + 1].num_types));
  }
}

HmOtJob empty_job(const TimeSeries& series) {
  const std::size_t count = series.slices.size();
  HmOtJob job;
  job.type_names.resize(count);
  job.labels.resize(count);
  job.problem.slices.resize(count);
  job.problem.transitions.resize(count - 1);
  for (std::size_t t = 0; t < count; ++t) {
    const SliceRows& slice = series.slices[t];
    job.slice_names.push_back(slice.name);
    job.problem.slices[t].name = slice.name;
    job.problem.slices[t].rows = {slice.num_cells, slice.rows, series.num_features, slice.features, slice.weights};
  }
  return job;
}

/// Given memberships and those of labels, with their numbers of types.
void fix_memberships(const Communicator& comm, const HmOtOptions& options, const TimeSeries& series, const std::string& annotation, HmOtJob& job) {
  const std::vector<bool> is_labelled = labelled_slices(options, annotation, job);
  for (std::size_t t = 0; t < is_labelled.size(); ++t) {
    if (is_labelled[t]) fix_labels(comm, series, annotation, t, job);
    if (!job.memberships[t]) continue;
    job.problem.slices[t].memberships = job.memberships[t]->shares;
    job.problem.slices[t].num_types = job.memberships[t]->num_types;
  }
}

/// Mode transfer: the other slices have as many types as the reference, or the last slice whose labels are fixed.
std::int64_t types_of_reference(const HmOtOptions& options, const HmOtJob& job) {
  const std::size_t reference = find_slice(job.slice_names, options.reference, "hmot.reference");
  std::int64_t count = 0;
  for (const HmOtSlice& slice : job.problem.slices)
    if (slice.num_types != 0) count = slice.num_types;
  return job.problem.slices[reference].num_types != 0 ? job.problem.slices[reference].num_types : count;
}

std::size_t hash_of_row(std::span<const float> values, std::int64_t width, std::size_t row) {
  const auto p = static_cast<std::size_t>(width);
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(values.data() + row * p), p * sizeof(float)});
}

}  // namespace

void normalise_rows(const Communicator& comm, const std::string& key, TimeSeries& series) {
  std::int64_t first_zero = std::numeric_limits<std::int64_t>::max();
  for (SliceRows& slice : series.slices) {
    const std::size_t p = slice.source_rows.empty() ? 0 : slice.features.size() / slice.source_rows.size();
    for (std::size_t i = 0; i < slice.source_rows.size(); ++i) {
      double square = 0.0;
      for (std::size_t j = 0; j < p; ++j) square += static_cast<double>(slice.features[i * p + j]) * static_cast<double>(slice.features[i * p + j]);
      if (!(square > 0.0)) first_zero = std::min(first_zero, slice.source_rows[i]);
      const double scale = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
      for (std::size_t j = 0; j < p; ++j) slice.features[i * p + j] = static_cast<float>(static_cast<double>(slice.features[i * p + j]) * scale);
    }
  }
  first_zero = comm.all_reduce(first_zero, Reduction::min);
  if (first_zero != std::numeric_limits<std::int64_t>::max())
    throw DataError("row " + std::to_string(first_zero) + " of " + key + " in " + series.path + " is zero and has no direction; remove such cells or use cost = \"sq_euclidean\"");
}

void check_distinct_rows(const Communicator& comm, const HmOtSlice& slice) {
  std::vector<std::int64_t> hashes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(slice.rows.rows.size()) && static_cast<std::int64_t>(hashes.size()) < slice.num_types; ++i) {
    const std::size_t of_features = hash_of_row(slice.rows.features, slice.rows.num_features(), i);
    const std::size_t of_coordinates = hash_of_row(slice.rows.coordinates.values, slice.rows.coordinates.count, i);
    const auto hash = static_cast<std::int64_t>(of_features ^ (3 * of_coordinates));
    if (std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) hashes.push_back(hash);
  }
  std::vector<std::int64_t> all = comm.all_gather(std::span<const std::int64_t>(hashes));
  std::sort(all.begin(), all.end());
  const auto distinct = std::unique(all.begin(), all.end()) - all.begin();
  if (distinct < slice.num_types)
    throw DataError("time " + slice.name + " has " + std::to_string(distinct) + " distinct cells for " + std::to_string(slice.num_types) +
                    " types; lower the rank of that time or leave it out with input.days");
}

HmOtJob make_hmot_job(const Communicator& comm, const HmOtOptions& options, const TimeSeriesRequest& request, const std::string& spatial,
                      TimeSeries& series) {
  if (series.slices.size() < 2)
    throw DataError("one time point (" + (series.slices.empty() ? "none" : series.slices[0].name) + ") in " + series.path +
                    "; hmot needs at least two; check input.time_key and input.days");
  if (options.cost == "cosine") normalise_rows(comm, "the features", series);
  HmOtJob job = empty_job(series);
  if (options.alpha > 0.0) {
    append_coordinates(comm, request, spatial, "input.spatial", series, job);
    use_coordinates(/*has_features=*/options.alpha < 1.0, job);
    job.problem.alpha = options.alpha;
  }
  job.memberships = read_given_memberships(comm, options, request, series);
  fix_memberships(comm, options, series, request.annotation, job);
  apply_label_masses(comm, options, series, request.annotation, job);
  const std::vector<std::int64_t> ranks = options.mode == "transfer" ? std::vector<std::int64_t>(series.slices.size(), types_of_reference(options, job))
                                                                     : ranks_of_slices(options, job.slice_names);
  for (std::size_t t = 0; t < series.slices.size(); ++t) {
    HmOtSlice& slice = job.problem.slices[t];
    if (!job.type_names[t].empty()) continue;  // those of labels
    set_types(options, slice.num_types != 0 ? slice.num_types : ranks[t], t, job);
    if (!job.memberships[t]) check_distinct_rows(comm, slice);
  }
  apply_mode(options, job);
  apply_tables(comm, options, job);
  for (std::size_t t = 0; t < series.slices.size(); ++t) job.problem.slices[t].type_names = job.type_names[t];
  return job;
}

}  // namespace thalweg
