#include <algorithm>
#include <utility>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/table.hpp"
#include "job/chain_output.hpp"
#include "job/commands_run.hpp"
#include "job/hmot_problem.hpp"
#include "job/intra_cells.hpp"
#include "job/job_session.hpp"
#include "job/lowrank_scores.hpp"
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
  std::vector<std::int64_t> num_features;  // of each side
  std::vector<ChainFile> files() const {
    if (of_files.empty()) return {{&series, "result.h5ad", 0, 2}};
    return {{&of_files[0], "result_source.h5ad", 0, 1}, {&of_files[1], "result_target.h5ad", 1, 1}};
  }
};

/// One file that holds both sides, or one side of two, with its coordinates where the objective has any beside features.
TimeSeries read_file(const Communicator& comm, const Job& job, const InputOptions& input, const std::string& annotation, HmOtJob& chain) {
  const TimeSeriesRequest request = request_of(input, job.output, annotation);
  TimeSeries series = read_time_series(comm, request);
  if (job.lowrank.objective == "fgw") append_coordinates(comm, request, input.spatial, "input.spatial", series, chain);
  return series;
}

TimeSeries read_side(const Communicator& comm, const Job& job, const SideOptions& side, const std::string& name, HmOtJob& chain) {
  TimeSeries series = read_file(comm, job, input_of_side(job.input, side), job.input.annotation, chain);
  series.slices[0].name = name;
  return series;
}

void check_equal_features(const Sides& sides) {
  if (sides.num_features[0] == sides.num_features[1]) return;
  throw DataError("the sides have " + std::to_string(sides.num_features[0]) + " and " + std::to_string(sides.num_features[1]) +
                  " features; give keys of the same features with source.key and target.key, or set lowrank.objective = \"gw\"");
}

Sides read_sides(const Communicator& comm, const Job& job, HmOtJob& chain) {
  Sides sides;
  if (!job.source.is_given() && !job.target.is_given()) {
    sides.series = read_file(comm, job, job.input, job.input.annotation, chain);
    check_two_sides("lowrank", sides.series.slices.size(), sides.series.path);
    sides.num_features.assign(2, sides.series.num_features);
    return sides;
  }
  sides.of_files.push_back(read_side(comm, job, job.source, "source", chain));
  sides.of_files.push_back(read_side(comm, job, job.target, "target", chain));
  for (const TimeSeries& file : sides.of_files) sides.num_features.push_back(file.num_features);
  if (job.lowrank.objective != "gw") check_equal_features(sides);
  if (!job.input.annotation.empty()) share_categories(sides.of_files[0], sides.of_files[1]);
  sides.series.categories = sides.of_files[0].categories;
  sides.series.category_colors = sides.of_files[0].category_colors;
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

/// Rows of both sides: features, coordinates or both. Their own space is all that gw has of a side.
void set_rows(const LowRankOptions& options, Sides& sides, HmOtJob& job) {
  for (std::size_t t = 0; t < 2; ++t) {
    SliceRows& slice = sides.series.slices[t];
    job.slice_names.push_back(slice.name);
    job.problem.slices[t].name = slice.name;
    if (options.objective == "gw") job.coordinates.push_back({std::exchange(slice.features, {}), sides.num_features[t]});
    job.problem.slices[t].rows = {slice.num_cells, slice.rows, sides.num_features[t], slice.features, slice.weights};
  }
  job.problem.alpha = options.objective == "w" ? 0.0 : options.objective == "gw" ? 1.0 : options.alpha;
  if (job.problem.alpha > 0.0) use_coordinates(/*has_features=*/job.problem.alpha < 1.0, job);
}

/// What a side is called, and its types after it.
const std::string& name_of_side(const LowRankOptions& options, std::size_t side) {
  static const std::vector<std::string> by_default{"source", "target"};
  return options.names.empty() ? by_default[side] : options.names[side];
}

void name_sides(const LowRankOptions& options, Sides& sides) {
  for (std::size_t t = 0; t < options.names.size(); ++t) sides.series.slices[t].name = options.names[t];
}

/// @param job   with the coordinates that were read
void make_lowrank_job(const Communicator& comm, const LowRankOptions& options, Sides& sides, HmOtJob& job) {
  if (options.cost == "cosine") normalise_rows(comm, "the features", sides.series);
  job.problem.slices.resize(2);
  job.problem.transitions.resize(1);
  set_rows(options, sides, job);
  for (std::size_t t = 0; t < 2; ++t) {
    job.problem.slices[t].num_types = options.rank[std::min(t, options.rank.size() - 1)];
    job.type_names.push_back(type_names(name_of_side(options, t), job.problem.slices[t].num_types));
    check_distinct_rows(comm, job.problem.slices[t]);
  }
  HmOtTransition& transition = job.problem.transitions[0];
  transition.weight = options.cost == "cosine" ? 0.5 : 1.0;
  if (options.cost == "cosine" && options.objective == "gw") transition.gromov = 0.25;
  transition.is_diagonal = options.form == "lot";
  set_masses(comm, options, job);
  if (!options.fixed_t.empty()) transition.coupling = read_coupling(comm, options.fixed_t, job.type_names[0], job.type_names[1]);
  if (!options.mask.empty()) transition.allowed = read_mask(comm, options.mask, job.type_names[0], job.type_names[1], false);
  for (std::size_t t = 0; t < 2; ++t) job.problem.slices[t].type_names = job.type_names[t];
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

ChainOutput output_of(const Job& job, const Sides& sides) {
  ChainOutput output;
  output.prefix = "lowrank";
  output.title = "Low-rank coupling of " + sides.series.slices[0].name + " and " + sides.series.slices[1].name;
  if (!sides.of_files.empty() || !job.lowrank.names.empty()) output.slice_noun = "side";
  output.annotation = job.input.annotation;
  output.cells.with_memberships = job.lowrank.write_q;
  return output;
}

/// tables/side_scores.tsv and labels.tsv, where labels or pairs are known. Collective.
void write_scores(JobSession& session, const HmOtJob& job, const HmOtSolution& solution, const TimeSeries& series,
                  const CellPairs& pairs) {
  if (series.categories.empty() && pairs.source.empty()) return;
  const LowRankScores scores = score_low_rank(session.comm(), job, solution, series, pairs);
  session.write_table("side_scores", scores.scores);
  if (!scores.label_masses.empty()) session.write_table("labels", label_table(scores));
}

}  // namespace

int run_lowrank(const Communicator& comm, const JobContext& context) {
  const LowRankOptions& options = context.job.lowrank;
  check_memory(comm, read_plan_input(comm, context), context.job.run);
  JobSession session(comm, context);
  session.start_phase("read");
  HmOtJob job;
  Sides sides = read_sides(comm, context.job, job);
  if (sides.of_files.empty()) record_input(sides.series, session.record());
  for (const TimeSeries& file : sides.of_files) record_input(file, session.record());
  if (const auto code = session.finished_before()) return *code;
  const CellPairs pairs = read_lowrank_pairs(comm, context.job, sides.series, *std::max_element(sides.num_features.begin(), sides.num_features.end()));
  name_sides(options, sides);
  make_lowrank_job(comm, options, sides, job);

  const SolvedChain solved = solve_chain(session, job, settings_of(options));
  write_chain_results(session, context, job, solved.solution, sides.series, sides.files(), output_of(context.job, sides), solved.seconds);
  write_scores(session, job, solved.solution, sides.series, pairs);
  session.write_on_root("tables/T.tsv", [&](const std::string& path) { coupling_table(job, solved.solution.state.couplings[0]).write(path); });
  return session.finish("lowrank", solved.solution.stop_reason);
}

}  // namespace thalweg
