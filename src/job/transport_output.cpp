#include "job/transport_output.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "io/anndata_writer.hpp"
#include "io/text_file.hpp"
#include "job/transport_sidecar.hpp"

namespace thalweg {

namespace {

std::vector<double> logarithms(const std::vector<double>& values) {
  std::vector<double> logs;
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

/// The constant of points with weight; -inf when there is none.
double largest(const std::vector<double>& values) { return *std::max_element(values.begin(), values.end()); }

std::vector<std::int64_t> all_rows(const Communicator& comm, const SliceRows& slice) {
  return comm.all_gather(std::span<const std::int64_t>(slice.source_rows));
}

}  // namespace

std::string fingerprint_of_features(const TransportSides& sides, const CellSide& side) {
  return hexadecimal(sides.file_of(side).keys.back().fingerprint);  // features are read last
}

StoredCoupling stored_coupling(const Communicator& comm, const Job& job, const TransportResult& result) {
  const TransportSides& sides = result.sides;
  const SinkhornSolution& solution = result.solution;
  StoredCoupling coupling;
  coupling.pair = sides.pair;
  coupling.source = sides.source.name;
  coupling.target = sides.target.name;
  coupling.source_path = std::filesystem::absolute(sides.file_of(sides.source).path).lexically_normal().string();
  coupling.target_path = std::filesystem::absolute(sides.file_of(sides.target).path).lexically_normal().string();
  coupling.source_key = sides.file_of(sides.source).keys.back().key;
  coupling.target_key = sides.file_of(sides.target).keys.back().key;
  coupling.source_fingerprint = fingerprint_of_features(sides, sides.source);
  coupling.target_fingerprint = fingerprint_of_features(sides, sides.target);
  coupling.cost = job.sinkhorn.cost;
  coupling.reference = job.sinkhorn.entropy_reference;
  coupling.scale = result.problem.geometry->scale();
  coupling.epsilon = solution.epsilon;
  coupling.lambda1 = result.problem.problem.lambda1;
  coupling.lambda2 = result.problem.problem.lambda2;
  coupling.log_alpha = largest(solution.log_alpha);
  coupling.log_beta = largest(solution.log_beta);
  coupling.f = comm.all_gather(std::span<const double>(solution.f));
  coupling.g = solution.g;
  coupling.log_a = logarithms(result.problem.problem.a);
  coupling.log_b = logarithms(result.problem.problem.b);
  coupling.source_row = all_rows(comm, sides.slice_of(sides.source));
  coupling.target_row = all_rows(comm, sides.slice_of(sides.target));
  return coupling;
}

void write_transport_results(JobSession& session, const JobContext& context, const TransportResult& result,
                             const TransportCells& cells, const StoredCoupling& coupling) {
  const SinkhornSolution& solution = result.solution;
  const std::string file = "solution/" + as_file_name(result.sides.pair) + ".h5";
  session.comm().on_root([&] { make_directories(session.results().file("solution")); });
  write_coupling(session.comm(), session.results().file(file), coupling);
  session.record().add_file(file);
  write_transport_sidecars(session, context, result.sides, cells);
  session.write_table("transport", transport_table(result));
  session.write_text("convergence.csv", transport_convergence(result.sides.pair, solution).csv());
  session.write_text("index.tsv", index_tsv({transport_index(result, file)}));
  if (!session.makes_plots()) return;
  if (!solution.history.empty()) session.write_plot("convergence", plot_convergence(transport_curves(solution, result.problem.settings.tolerance)));
  if (cells.transitions.empty()) return;
  const TransitionMatrix transitions = transport_transitions(result.sides, cells.transitions, annotation_of(context.job));
  if (!transitions.mass.empty()) session.write_plot("transition_" + as_file_name(result.sides.pair), plot_transition(transitions));
}

void log_transport(const TransportResult& result) {
  const SinkhornSolution& solution = result.solution;
  log_info("cost " + rounded_number(solution.cost, 6) + ", F " + rounded_number(solution.primal, 6) + ", D " + rounded_number(solution.dual, 6) +
           ", gap " + rounded_number(solution.gap) + ", mass " + rounded_number(solution.mass, 6));
  log_info("marginal errors " + rounded_number(solution.error_source) + " and " + rounded_number(solution.error_target) + ", " +
           std::to_string(solution.evaluations) + " evaluations in " + rounded_number(solution.seconds) + " s, " + name_of(solution.stop_reason));
  if (result.divergence) {
    const std::string note = result.divergence->is_below_resolution ? " (below resolution: raise the accuracy with solver.tolerance)" : "";
    log_info("divergence " + rounded_number(result.divergence->value, 6) + note);
  }
  if (solution.is_collapsed)
    log_warning("collapsed", "the coupling has mass " + rounded_number(solution.mass) + ", less than a thousandth of the weights; raise solver.lambda1 and solver.lambda2");
  if (solution.stop_reason != StopReason::converged)
    log_warning("not_converged", "stopped for the reason " + name_of(solution.stop_reason) + "; the coupling is not the optimal one");
}

}  // namespace thalweg
