#include "job/hmot_problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "exact/max_flow.hpp"
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

/// Which slices have fixed labels.
std::vector<bool> labelled_slices(const HmOtOptions& options, const std::string& annotation, const std::vector<std::string>& slices) {
  std::vector<bool> is_fixed(slices.size(), options.mode == "supervised" && options.fix_labels.empty());
  if (options.mode == "transfer" && options.fix_labels.empty()) {
    if (options.reference.empty()) throw DataError("hmot.mode = \"transfer\" needs hmot.reference; times: " + join(slices, ", "));
    is_fixed[find_slice(slices, options.reference, "hmot.reference")] = true;
  }
  for (const auto& [time, column] : options.fix_labels) {
    if (column_of(column) != annotation)
      throw DataError("hmot.fix.labels names obs column '" + column_of(column) + "' while input.annotation is '" + annotation +
                      "'; this version reads one label column: make them equal");
    is_fixed[find_slice(slices, time, "hmot.fix.labels")] = true;
  }
  const bool any = std::find(is_fixed.begin(), is_fixed.end(), true) != is_fixed.end();
  if (any && annotation.empty()) throw DataError("labels are to be fixed, but input.annotation is empty; name an obs column of labels");
  return is_fixed;
}

void fix_labels(const Communicator& comm, const TimeSeries& series, const std::string& annotation, std::size_t slice, HmOtJob& job) {
  SliceLabels labels = labels_of_slice(comm, series, slice);
  if (labels.num_missing > 0)
    throw DataError(std::to_string(labels.num_missing) + " of " + std::to_string(series.slices[slice].num_cells) + " cells of time " +
                    series.slices[slice].name + " have no label in obs column '" + annotation + "' of " + series.path +
                    "; label them or leave them out with input.filter");
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

void apply_tables(const Communicator& comm, const HmOtOptions& options, HmOtJob& job) {
  for (const auto& [key, path] : options.fix_g) {
    const std::size_t t = find_slice(job.slice_names, key, "hmot.fix.g");
    if (path == "labels")
      throw DataError("hmot.fix.g = \"labels\" at time " + job.slice_names[t] + " is not available in this version; give a file with columns type, mass");
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

/// Masses that are known before the solve: of fixed labels or given.
std::optional<std::vector<double>> known_masses(const Communicator& comm, const HmOtSlice& slice) {
  if (slice.masses) return slice.masses;
  if (!comm.any(!slice.labels.empty())) return std::nullopt;
  const std::vector<double> origin(static_cast<std::size_t>(slice.rows.dimension), 0.0);
  return label_sums(comm, slice.rows, origin, row_moments(comm, slice.rows, origin), slice.labels, slice.num_types).masses;
}

void check_masks(const Communicator& comm, const HmOtJob& job) {
  for (std::size_t t = 0; t < job.problem.transitions.size(); ++t) {
    if (!job.problem.transitions[t].allowed) continue;
    const auto source = known_masses(comm, job.problem.slices[t]), target = known_masses(comm, job.problem.slices[t + 1]);
    if (source && target) check_mask(job, t, *source, *target);
  }
}

std::string names_of(const std::vector<std::int64_t>& indices, const std::vector<std::string>& names) {
  std::vector<std::string> chosen;
  for (const std::int64_t index : indices) chosen.push_back(names[static_cast<std::size_t>(index)]);
  return "{" + join(chosen, ", ") + "}";
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

}  // namespace

void normalise_rows(const Communicator& comm, const std::string& key, TimeSeries& series) {
  std::int64_t first_zero = std::numeric_limits<std::int64_t>::max();
  const auto p = static_cast<std::size_t>(series.num_features);
  for (SliceRows& slice : series.slices)
    for (std::size_t i = 0; i < slice.source_rows.size(); ++i) {
      double square = 0.0;
      for (std::size_t j = 0; j < p; ++j) square += static_cast<double>(slice.features[i * p + j]) * static_cast<double>(slice.features[i * p + j]);
      if (!(square > 0.0)) first_zero = std::min(first_zero, slice.source_rows[i]);
      const double scale = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
      for (std::size_t j = 0; j < p; ++j) slice.features[i * p + j] = static_cast<float>(static_cast<double>(slice.features[i * p + j]) * scale);
    }
  first_zero = comm.all_reduce(first_zero, Reduction::min);
  if (first_zero != std::numeric_limits<std::int64_t>::max())
    throw DataError("row " + std::to_string(first_zero) + " of " + key + " in " + series.path + " is zero and has no direction; remove such cells or use cost = \"sq_euclidean\"");
}

void check_distinct_rows(const Communicator& comm, const HmOtSlice& slice) {
  const auto p = static_cast<std::size_t>(slice.rows.dimension);
  std::vector<std::int64_t> hashes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(slice.rows.rows.size()) && static_cast<std::int64_t>(hashes.size()) < slice.num_types; ++i) {
    const std::string_view bytes(reinterpret_cast<const char*>(slice.rows.features.data() + i * p), p * sizeof(float));
    const auto hash = static_cast<std::int64_t>(std::hash<std::string_view>{}(bytes));
    if (std::find(hashes.begin(), hashes.end(), hash) == hashes.end()) hashes.push_back(hash);
  }
  std::vector<std::int64_t> all = comm.all_gather(std::span<const std::int64_t>(hashes));
  std::sort(all.begin(), all.end());
  const auto distinct = std::unique(all.begin(), all.end()) - all.begin();
  if (distinct < slice.num_types)
    throw DataError("time " + slice.name + " has " + std::to_string(distinct) + " distinct cells for " + std::to_string(slice.num_types) +
                    " types; lower the rank of that time or leave it out with input.days");
}

void check_mask(const HmOtJob& job, std::size_t transition, const std::vector<double>& source, const std::vector<double>& target) {
  const FlowCheck check = check_flow(source, target, *job.problem.transitions[transition].allowed, nullptr, 1e-9);
  if (check.feasible) return;
  throw DataError("mask of " + job.slice_names[transition] + ":" + job.slice_names[transition + 1] + " is infeasible: types " +
                  names_of(check.sources, job.type_names[transition]) + " hold " + shortest_number(check.demand) + " of the mass, their allowed targets " +
                  names_of(check.targets, job.type_names[transition + 1]) + " take " + shortest_number(check.capacity) + "; allow more edges");
}

HmOtJob make_hmot_job(const Communicator& comm, const HmOtOptions& options, const std::string& annotation, TimeSeries& series) {
  if (series.slices.size() < 2)
    throw DataError("one time point (" + (series.slices.empty() ? "none" : series.slices[0].name) + ") in " + series.path +
                    "; hmot needs at least two; check input.time_key and input.days");
  if (options.cost == "cosine") normalise_rows(comm, "the features", series);
  HmOtJob job;
  for (const SliceRows& slice : series.slices) job.slice_names.push_back(slice.name);
  const std::vector<bool> is_fixed = labelled_slices(options, annotation, job.slice_names);
  const std::vector<std::int64_t> ranks = ranks_of_slices(options, job.slice_names);
  const std::size_t count = series.slices.size();
  job.type_names.resize(count);
  job.labels.resize(count);
  job.problem.slices.resize(count);
  job.problem.transitions.resize(count - 1);
  std::int64_t types_of_reference = 0;
  for (std::size_t t = 0; t < count; ++t) {
    const SliceRows& slice = series.slices[t];
    job.problem.slices[t].name = slice.name;
    job.problem.slices[t].rows = {slice.num_cells, slice.rows, series.num_features, slice.features, slice.weights};
    if (!is_fixed[t]) continue;
    fix_labels(comm, series, annotation, t, job);
    types_of_reference = job.problem.slices[t].num_types;
  }
  for (std::size_t t = 0; t < count; ++t)
    if (!is_fixed[t]) set_types(options, options.mode == "transfer" ? types_of_reference : ranks[t], t, job);
  apply_mode(options, job);
  apply_tables(comm, options, job);
  for (std::size_t t = 0; t < count; ++t)
    if (!is_fixed[t]) check_distinct_rows(comm, job.problem.slices[t]);
  check_masks(comm, job);
  return job;
}

}  // namespace thalweg
