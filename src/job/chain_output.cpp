#include "job/chain_output.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "io/plots/heat_map.hpp"
#include "io/plots/sankey.hpp"
#include "io/text_file.hpp"
#include "job/chain_history.hpp"
#include "job/chain_sidecar.hpp"
#include "job/embedding_plot.hpp"
#include "job/hmot_tables.hpp"
#include "job/score_table.hpp"

namespace thalweg {

namespace {

void write_plots(JobSession& session, const ChainResults& results, const std::vector<ChainFile>& files, const DifferentiationMap& map,
                 const ChainOutput& output) {
  session.write_plot("diffmap", plot_differentiation_map(map, output.edge_threshold));
  session.write_plot("sankey", plot_sankey(map));
  for (std::size_t t = 0; t + 1 < map.times.size(); ++t)
    session.write_plot("transition_" + as_file_name(map.times[t]) + "_" + as_file_name(map.times[t + 1]), plot_transition(transition_matrix(map, static_cast<int>(t))));
  if (!results.solution.history.empty()) session.write_plot("convergence", plot_convergence(history_of(results.solution)));
  if (!results.series.embedding.empty()) session.write_plot("embedding", plot_embedding(session.comm(), results, files));
}

void write_tables(JobSession& session, const ChainResults& results, const DifferentiationMap& map, const ChainOutput& output) {
  const auto& [job, solution, series, types] = results;
  session.write_table("nodes", nodes_table(map));
  session.write_table("edges", edges_table(map));
  session.write_table("centroids", centroids_table(job, solution));
  session.write_table("objective", objective_table(job, solution));
  session.write_table("paths", paths_table(job, solution));
  if (!solution.restarts.empty()) session.write_table("restarts", restarts_table(solution));
  if (output.annotation.empty()) return;
  const std::vector<Score> scores = score_types(session.comm(), job, solution, series, types);
  session.write_table("scores", scores_table(scores, job.slice_names));
  log_info(score_line(scores, output.annotation));
}

std::string names_of(const std::vector<ChainFile>& files) {
  std::vector<std::string> names;
  for (const ChainFile& file : files) names.push_back(file.result);
  return join(names, ",");
}

}  // namespace

void write_chain_results(JobSession& session, const JobContext& context, const HmOtJob& job, const HmOtSolution& solution,
                         const TimeSeries& series, const std::vector<ChainFile>& files, const ChainOutput& output, double seconds) {
  const CellTypes types = label_cells(solution, job.problem, output.cells);
  const ChainResults results{job, solution, series, types};
  const TypeSummary summary = summarise_types(session.comm(), job, series, types.clusterings.at("ml"));
  DifferentiationMap map = make_map(job, solution, series, summary, output.title);
  map.slice_noun = output.slice_noun;
  for (const ChainFile& file : files) write_sidecar(session, context, results, file, output);
  write_tables(session, results, map, output);
  session.write_text("diffmap.dot", to_dot(map, output.edge_threshold));
  session.write_text("diffmap.graphml", to_graphml(map));
  session.write_text("convergence.csv", convergence_of(output.prefix, solution).csv());
  session.write_text("index.tsv", index_of(output.prefix, job, solution, seconds, names_of(files)));
  if (session.makes_plots()) write_plots(session, results, files, map, output);
}

namespace {

constexpr double unlike_scales = 100.0;

/// Both parts of the objective in units of the data, summed over transitions.
void log_parts(const HmOtSolution& solution) {
  TransitionParts sum;
  for (std::size_t t = 0; t < solution.chain.edges.size(); ++t) {
    const TransitionParts parts = transition_parts(solution.chain, solution.state, t);
    sum.transport += parts.transport;
    sum.gromov += parts.gromov;
  }
  for (std::size_t t = 0; t < solution.chain.edges.size(); ++t) {
    const double x = solution.chain.slices[t].intra.square, y = solution.chain.slices[t + 1].intra.square;
    if (std::max(x, y) > unlike_scales * std::min(x, y))
      log_warning("unlike_scales", "mean squared distances within two sides, " + rounded_number(2.0 * x) + " and " + rounded_number(2.0 * y) +
                                       ", differ so much that a coupling hardly changes Gromov-Wasserstein; bring them to one scale");
  }
  log_info((solution.chain.num_features() > 0 ? "transport " + rounded_number(sum.transport, 6) + ", " : std::string()) +
           "Gromov-Wasserstein " + rounded_number(sum.gromov, 6) + " in units of the data");
}

}  // namespace

void log_solution(const HmOtSolution& solution) {
  if (solution.chain.has_coordinates()) log_parts(solution);
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
