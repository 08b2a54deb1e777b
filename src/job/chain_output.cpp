#include "job/chain_output.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "io/anndata_writer.hpp"
#include "io/plots/convergence.hpp"
#include "io/plots/heat_map.hpp"
#include "io/plots/sankey.hpp"
#include "io/text_file.hpp"
#include "job/convergence_table.hpp"
#include "job/index_table.hpp"
#include "job/score_table.hpp"

namespace thalweg {

namespace {

/// All type names of the job, in slice order without repetition, and the code of each slice's types.
struct TypeCategories {
  std::vector<std::string> names;
  std::vector<std::vector<std::int32_t>> code;  // [slice][type]

  explicit TypeCategories(const HmOtJob& job) {
    for (const auto& types : job.type_names) {
      std::vector<std::int32_t>& codes = code.emplace_back();
      for (const std::string& name : types) {
        const auto found = std::find(names.begin(), names.end(), name);
        codes.push_back(static_cast<std::int32_t>(found - names.begin()));
        if (found == names.end()) names.push_back(name);
      }
    }
  }
};

std::vector<std::int32_t> category_codes(const HmOtJob& job, const TimeSeries& series, const TypeCategories& categories,
                                         const CellClustering& clustering, std::int64_t slice_of_types) {
  std::vector<std::int32_t> codes;
  std::size_t cell = 0;
  for (std::size_t t = 0; t < job.problem.slices.size(); ++t) {
    const auto& code = categories.code[slice_of_types < 0 ? t : static_cast<std::size_t>(slice_of_types)];
    for (std::int64_t i = 0; i < series.slices[t].rows.size(); ++i, ++cell)
      codes.push_back(code[static_cast<std::size_t>(clustering.labels[cell])]);
  }
  return codes;
}

UnsValue uns_matrix(const Matrix& matrix) {
  return UnsArray{NumericBlock::own(matrix.values), {matrix.rows, matrix.columns}};
}

void add_model(const HmOtJob& job, const HmOtSolution& solution, const std::string& key, AnnDataWriter& writer) {
  writer.add_uns(key + "/objective", solution.state.objective);
  writer.add_uns(key + "/epsilon", solution.epsilon);
  writer.add_uns(key + "/center", solution.chain.center);
  for (std::size_t t = 0; t < job.slice_names.size(); ++t) {
    const std::string slice = key + "/slices/" + std::to_string(t);
    const SliceState& state = solution.state.slices[t];
    writer.add_uns(slice + "/time", job.slice_names[t]);
    writer.add_uns(slice + "/types", job.type_names[t]);
    writer.add_uns(slice + "/g", state.actual);
    writer.add_uns(slice + "/means", uns_matrix(state.means));
    if (solution.chain.slices[t].has_fixed_membership()) continue;
    writer.add_uns(slice + "/A", uns_matrix(state.logits));
    writer.add_uns(slice + "/v", state.duals);
  }
  for (std::size_t t = 0; t < solution.state.couplings.size(); ++t)
    writer.add_uns(key + "/T/" + std::to_string(t), uns_matrix(solution.state.couplings[t]));
}

/// Values of the cells of one file, of those of all slices one after another, in file order.
template <class T>
class FileOrder {
 public:
  FileOrder(const Communicator& comm, const ChainFile& file, const TimeSeries& series) : comm_(comm), file_(file) {
    for (std::size_t t = 0; t < file.first_slice; ++t) first_ += static_cast<std::size_t>(series.slices[t].rows.size());
  }
  std::vector<T> operator()(const std::vector<T>& values, std::int64_t width = 1) const {
    const auto per_cell = static_cast<std::size_t>(width), count = static_cast<std::size_t>(file_.series->num_local_cells());
    return to_file_order(comm_, *file_.series, std::span<const T>(values).subspan(first_ * per_cell, count * per_cell), per_cell);
  }

 private:
  const Communicator& comm_;
  const ChainFile& file_;
  std::size_t first_ = 0;
};

void write_sidecar(JobSession& session, const JobContext& context, const HmOtJob& job, const HmOtSolution& solution,
                   const TimeSeries& series, const ChainFile& file, const ChainOutput& output, const CellTypes& types) {
  const Communicator& comm = session.comm();
  const std::string prefix = context.job.output.key_prefix, name_prefix = prefix + output.prefix;
  const TypeCategories categories(job);
  AnnDataWriter writer;
  writer.obs().set_index(read_cell_names(comm, *file.series));
  writer.obs().add(prefix + "source_row", source_rows_in_file_order(comm, *file.series));
  for (const auto& [name, clustering] : types.clusterings) {
    const std::int64_t slice = slice_of_clustering(name, output.cells.reference, job.slice_names.size());
    const std::vector<std::int32_t> codes = category_codes(job, series, categories, clustering, slice);
    const std::string column = name_prefix + (name == "ml" ? "_type" : "_" + name);
    writer.obs().add_categorical(column, FileOrder<std::int32_t>(comm, file, series)(codes), categories.names);
    writer.obs().add(name == "ml" ? name_prefix + "_confidence" : column + "_confidence", FileOrder<double>(comm, file, series)(clustering.confidence));
  }
  const FileOrder<float> rows_in_order(comm, file, series);
  if (types.clusterings.contains("terminal")) {
    writer.add_matrix("obsm/" + prefix + "fate", NumericBlock::own(rows_in_order(types.fates, types.fate_width)), types.fate_width);
    writer.add_uns("thalweg/columns/" + prefix + "fate", job.type_names.back());
  }
  if (output.cells.with_memberships)
    writer.add_matrix("obsm/" + name_prefix + "_Q", NumericBlock::own(rows_in_order(types.memberships, types.membership_width)), types.membership_width);
  writer.add_uns("thalweg/source", file.series->path);
  add_model(job, solution, name_prefix, writer);
  const Compression compression = context.job.output.compression == "gzip" ? Compression::gzip : Compression::none;
  writer.write(comm, session.results().file(file.result), {.compression = compression});
  session.record().add_file(file.result);
}

void write_table(JobSession& session, const std::string& name, const Table& table) {
  session.write_on_root("tables/" + name + ".tsv", [&](const std::string& path) { table.write(path); });
}

void write_plot(JobSession& session, const std::string& name, const Plot& plot) {
  session.write_on_root("plots/" + name + ".svg", [&](const std::string& path) { write_text_file(path, plot.svg); });
  session.write_on_root("tables/" + name + ".tsv", [&](const std::string& path) { write_text_file(path, plot.table.tsv()); });
}

/// The returned state where no descent was needed: every membership is given.
ConvergenceRow exact_row(const std::string& problem, const HmOtSolution& solution) {
  ConvergenceRow row;
  row.problem = problem;
  row.stage = "exact";
  row.level = row.outer = 0;
  row.epsilon = solution.epsilon;
  row.objective = solution.state.objective;
  row.primal = solution.state.regularized;
  row.gap = solution.coupling_gap;
  row.marginal_error_source = 0.0;
  row.marginal_error_target = solution.column_error;
  row.stop_reason = solution.stop_reason;
  row.extra = {static_cast<double>(solution.passes)};
  return row;
}

ConvergenceTable convergence_of(const std::string& problem, const HmOtSolution& solution) {
  ConvergenceTable table({"passes"});
  for (const DescentRecord& check : solution.history) {
    ConvergenceRow row;
    row.problem = problem;
    row.stage = check.stage;
    row.level = check.level;
    row.outer = check.sweep;
    row.epsilon = check.epsilon;
    row.objective = check.objective;
    row.primal = check.regularized;
    row.gap = check.gap;
    row.marginal_error_source = 0.0;
    row.marginal_error_target = check.column_error;
    row.change = check.change;
    row.seconds = check.seconds;
    row.stop_reason = check.stop_reason;
    row.extra = {static_cast<double>(check.passes)};
    table.add(std::move(row));
  }
  if (solution.history.empty()) table.add(exact_row(problem, solution));
  return table;
}

ConvergenceHistory history_of(const HmOtSolution& solution) {
  ConvergenceHistory history;
  history.title = "Descent of the objective";
  history.x_label = "step from the best start";
  history.objectives = {{"E", {}, {}}, {"F = E + epsilon KL", {}, {}}};
  history.residuals = {{"relative decrease of F", {}, {}}, {"type mass error", {}, {}}};
  std::string stage;
  int level = -1;
  double step = 0.0;
  for (const DescentRecord& check : solution.history) {
    if (check.stage != stage || check.level != level)
      history.boundaries.push_back({step, check.stage + (check.level > 0 ? ", level " + std::to_string(check.level) : "")});
    stage = check.stage;
    level = check.level;
    const double values[] = {check.objective, check.regularized, check.change, check.column_error};
    for (std::size_t c = 0; c < 4; ++c) {
      ConvergenceCurve& curve = c < 2 ? history.objectives[c] : history.residuals[c - 2];
      curve.x.push_back(step);
      curve.y.push_back(values[c]);
    }
    step += 1.0;
  }
  return history;
}

void write_plots(JobSession& session, const HmOtSolution& solution, const DifferentiationMap& map, const ChainOutput& output) {
  write_plot(session, "diffmap", plot_differentiation_map(map, output.edge_threshold));
  write_plot(session, "sankey", plot_sankey(map));
  for (std::size_t t = 0; t + 1 < map.times.size(); ++t)
    write_plot(session, "transition_" + as_file_name(map.times[t]) + "_" + as_file_name(map.times[t + 1]), plot_transition(transition_matrix(map, static_cast<int>(t))));
  if (!solution.history.empty()) write_plot(session, "convergence", plot_convergence(history_of(solution)));
}

/// Not every sweep has a record: those taken back have none.
std::int64_t sweeps_over_all_cells(const HmOtSolution& solution) {
  std::map<int, std::int64_t> last_of_level;
  for (const DescentRecord& check : solution.history)
    if (check.stage == "all") last_of_level[check.level] = check.sweep;
  std::int64_t sweeps = 0;
  for (const auto& [level, sweep] : last_of_level) sweeps += sweep;
  return sweeps;
}

std::string index_of(const std::string& problem, const HmOtJob& job, const HmOtSolution& solution, double seconds) {
  IndexRow row;
  row.pair = problem;
  row.source = job.slice_names.front();
  row.target = job.slice_names.back();
  row.n = job.problem.slices.front().rows.num_rows;
  row.m = job.problem.slices.back().rows.num_rows;
  row.mass = 1.0;
  row.cost = solution.state.objective;
  row.primal = solution.state.regularized;
  row.gap = solution.coupling_gap;
  row.marginal_error_source = 0.0;
  row.marginal_error_target = solution.column_error;
  row.iterations = sweeps_over_all_cells(solution);
  row.stop_reason = solution.stop_reason;
  row.seconds = seconds;
  row.peak_gib = static_cast<double>(peak_host_bytes()) / 0x1p30;
  row.file = "result.h5ad";
  return index_tsv({row});
}

}  // namespace

void write_chain_results(JobSession& session, const JobContext& context, const HmOtJob& job, const HmOtSolution& solution,
                         const TimeSeries& series, const std::vector<ChainFile>& files, const ChainOutput& output, double seconds) {
  const CellTypes types = label_cells(solution, job.problem, output.cells);
  const TypeSummary summary = summarise_types(session.comm(), job, series, types.clusterings.at("ml"));
  const DifferentiationMap map = make_map(job, solution, series, summary, output.title);
  for (const ChainFile& file : files) write_sidecar(session, context, job, solution, series, file, output, types);
  write_table(session, "nodes", nodes_table(map));
  write_table(session, "edges", edges_table(map));
  write_table(session, "centroids", centroids_table(job, solution));
  write_table(session, "objective", objective_table(job, solution));
  write_table(session, "paths", paths_table(job, solution));
  if (!solution.restarts.empty()) write_table(session, "restarts", restarts_table(solution));
  if (!output.annotation.empty()) {
    const std::vector<Score> scores = score_types(session.comm(), job, solution, series, types);
    write_table(session, "scores", scores_table(scores, job.slice_names));
    log_info(score_line(scores, output.annotation));
  }
  session.write_on_root("diffmap.dot", [&](const std::string& path) { write_text_file(path, to_dot(map, output.edge_threshold)); });
  session.write_on_root("diffmap.graphml", [&](const std::string& path) { write_text_file(path, to_graphml(map)); });
  session.write_on_root("convergence.csv", [&](const std::string& path) { write_text_file(path, convergence_of(output.prefix, solution).csv()); });
  session.write_on_root("index.tsv", [&](const std::string& path) { write_text_file(path, index_of(output.prefix, job, solution, seconds)); });
  if (session.makes_plots()) write_plots(session, solution, map, output);
}

void log_solution(const HmOtSolution& solution) {
  std::string line = "objective " + shortest_number(solution.state.objective);
  if (std::isfinite(solution.baseline)) line += ", k-means + exact T " + rounded_number(solution.baseline, 6);
  if (std::isfinite(solution.full_rank_reference)) line += ", one-to-one maps of a sample " + rounded_number(solution.full_rank_reference, 6);
  log_info(line);
  log_info("type mass error " + rounded_number(solution.column_error) + ", coupling gap " + rounded_number(solution.coupling_gap) + ", " +
           std::to_string(solution.passes) + " passes over the cells of a slice, " + name_of(solution.stop_reason));
  if (solution.state.objective > solution.baseline)
    log_warning("above_baseline", "the objective is above that of k-means with exact couplings; raise restarts");
  double best = INFINITY, worst = -INFINITY;
  for (const RestartRecord& record : solution.restarts) {
    if (record.start != "transport" || !std::isfinite(record.objective)) continue;
    best = std::min(best, record.objective);
    worst = std::max(worst, record.objective);
  }
  if (worst > 1.01 * best)
    log_warning("ambiguous", "restarts differ by " + rounded_number(100.0 * (worst / best - 1.0), 2) + " % in the objective before the best is polished");
  if (solution.stop_reason != StopReason::converged)
    log_warning("not_converged", "stopped for the reason " + name_of(solution.stop_reason) + "; the results are feasible but not final");
}

}  // namespace thalweg
