#include <algorithm>
#include <utility>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/table.hpp"
#include "job/chain_output.hpp"
#include "job/commands_run.hpp"
#include "job/hmot_problem.hpp"
#include "job/job_session.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_cells.hpp"
#include "job/solve_chain.hpp"
#include "job/type_tables.hpp"

namespace thalweg {

namespace {

/// Both sides as two slices, and the files that they came from.
struct Sides {
  TimeSeries series;                 // both slices
  std::vector<TimeSeries> of_files;  // without their features, when every side has a file of its own
  std::vector<ChainFile> files() const {
    if (of_files.empty()) return {{&series, "result.h5ad", 0, 2}};
    return {{&of_files[0], "result_source.h5ad", 0, 1}, {&of_files[1], "result_target.h5ad", 1, 1}};
  }
};

TimeSeries read_side(const Communicator& comm, const Job& job, const SideOptions& side, const std::string& name) {
  TimeSeries series = read_time_series(comm, request_of(input_of_side(job.input, side), job.output, ""));
  series.slices[0].name = name;
  return series;
}

Sides read_sides(const Communicator& comm, const Job& job) {
  Sides sides;
  if (!job.source.is_given() && !job.target.is_given()) {
    sides.series = read_time_series(comm, request_of(job.input, job.output, job.input.annotation));
    return sides;
  }
  if (!job.input.annotation.empty())
    throw ConfigError("input.annotation is not available in this version together with [source] and [target]; leave it out");
  sides.of_files.push_back(read_side(comm, job, job.source, "source"));
  sides.of_files.push_back(read_side(comm, job, job.target, "target"));
  if (sides.of_files[0].num_features != sides.of_files[1].num_features)
    throw DataError("the sides have " + std::to_string(sides.of_files[0].num_features) + " and " + std::to_string(sides.of_files[1].num_features) +
                    " features; give keys of the same features with source.key and target.key");
  sides.series.path = sides.of_files[0].path;
  sides.series.num_features = sides.of_files[0].num_features;
  if (!sides.of_files[1].embedding.empty()) sides.series.embedding = sides.of_files[0].embedding;
  for (TimeSeries& file : sides.of_files) {
    SliceRows kept;  // the way back to file order needs no more than this
    kept.source_rows = file.slices[0].source_rows;
    sides.series.slices.push_back(std::exchange(file.slices[0], std::move(kept)));
  }
  return sides;
}

std::vector<std::string> type_names(const std::string& side, std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t k = 0; k < count; ++k) names.push_back(side + "_" + std::to_string(k));
  return names;
}

void set_masses(const Communicator& comm, const LowRankOptions& options, HmOtJob& job) {
  for (std::size_t t = 0; t < 2; ++t) {
    HmOtSlice& slice = job.problem.slices[t];
    const auto file = options.g.files.find(t == 0 ? "source" : "target");
    if (file != options.g.files.end()) slice.masses = read_type_masses(comm, file->second, job.type_names[t]);
    else if (options.g.word == "uniform")
      slice.masses = std::vector<double>(static_cast<std::size_t>(slice.num_types), 1.0 / static_cast<double>(slice.num_types));
  }
}

HmOtJob make_lowrank_job(const Communicator& comm, const LowRankOptions& options, TimeSeries& series) {
  check_two_sides("lowrank", series.slices.size(), series.path);
  if (options.cost == "cosine") normalise_rows(comm, "the features", series);
  HmOtJob job;
  job.problem.slices.resize(2);
  job.problem.transitions.resize(1);
  for (std::size_t t = 0; t < 2; ++t) {
    const SliceRows& slice = series.slices[t];
    job.slice_names.push_back(slice.name);
    job.problem.slices[t].name = slice.name;
    job.problem.slices[t].rows = {slice.num_cells, slice.rows, series.num_features, slice.features, slice.weights};
    job.problem.slices[t].num_types = options.rank[std::min(t, options.rank.size() - 1)];
    job.type_names.push_back(type_names(t == 0 ? "source" : "target", job.problem.slices[t].num_types));
    check_distinct_rows(comm, job.problem.slices[t]);
  }
  HmOtTransition& transition = job.problem.transitions[0];
  transition.weight = options.cost == "cosine" ? 0.5 : 1.0;
  transition.is_diagonal = options.form == "lot";
  set_masses(comm, options, job);
  if (!options.fixed_t.empty()) transition.coupling = read_coupling(comm, options.fixed_t, job.type_names[0], job.type_names[1]);
  if (!options.mask.empty()) transition.allowed = read_mask(comm, options.mask, job.type_names[0], job.type_names[1], false);
  for (std::size_t t = 0; t < 2; ++t) job.problem.slices[t].type_names = job.type_names[t];
  return job;
}

/// The latent coupling as a matrix: sources down, targets across.
Table coupling_table(const HmOtJob& job, const Matrix& coupling) {
  std::vector<std::string> columns{"source"};
  columns.insert(columns.end(), job.type_names[1].begin(), job.type_names[1].end());
  Table table(columns);
  for (std::int64_t k = 0; k < coupling.rows; ++k) {
    std::vector<TableCell> row{job.type_names[0][static_cast<std::size_t>(k)]};
    for (const double value : coupling.row(k)) row.emplace_back(value);
    table.add_row(std::move(row));
  }
  return table;
}

}  // namespace

int run_lowrank(const Communicator& comm, const JobContext& context) {
  const LowRankOptions& options = context.job.lowrank;
  check_memory(comm, read_plan_input(comm, context), context.job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  Sides sides = read_sides(comm, context.job);
  if (sides.of_files.empty()) record_input(sides.series, session.record());
  for (const TimeSeries& file : sides.of_files) record_input(file, session.record());
  if (const auto code = session.finished_before()) return *code;
  const HmOtJob job = make_lowrank_job(comm, options, sides.series);

  const SolvedChain solved = solve_chain(session, job, settings_of(options));
  ChainOutput output;
  output.prefix = "lowrank";
  output.title = "Low-rank coupling (" + options.form + ")";
  output.annotation = context.job.input.annotation;
  output.cells.with_memberships = options.write_q;
  write_chain_results(session, context, job, solved.solution, sides.series, sides.files(), output, solved.seconds);
  session.write_on_root("tables/T.tsv", [&](const std::string& path) { coupling_table(job, solved.solution.state.couplings[0]).write(path); });
  return session.finish("lowrank", solved.solution.stop_reason);
}

}  // namespace thalweg
