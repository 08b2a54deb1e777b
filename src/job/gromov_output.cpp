#include "job/gromov_output.hpp"

#include <limits>
#include <optional>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "job/alignment_sidecar.hpp"
#include "job/start_tables.hpp"

namespace thalweg {

namespace {

/// What a result file says of the solve.
UnsDict constants_of(const AlignmentResult& result) {
  const GromovSolution& solution = result.solution;
  return {{"epsilon", solution.epsilon},
          {"E", solution.energy},
          {"E_gw", solution.energy_gw},
          {"linear", solution.energy_linear},
          {"alpha", solution.alpha},
          {"unit_quadratic", solution.units.quadratic},
          {"unit_linear", solution.units.linear},
          {"F", solution.primal},
          {"gap", solution.gap},
          {"start", result.starts.best_start},
          {"ambiguous", result.starts.is_ambiguous},
          {"lower_bound", result.starts.bounds ? UnsValue(result.starts.bounds->best()) : UnsValue(std::string("none"))},
          {"scale_source", result.costs.source.divisor()},
          {"scale_target", result.costs.target.divisor()},
          {"geodesic_k", result.costs.geodesic_k},
          {"stop_reason", name_of(solution.stop_reason)}};
}

void write_sidecars(JobSession& session, const JobContext& context, const AlignmentResult& result,
                    const Alignment& alignment) {
  const TransportSides& sides = result.sides;
  std::optional<Alignment> other;
  if (result.starts.other) other = describe_alignment(session.comm(), sides, *result.starts.other);
  const DescribedAlignments alignments{alignment, other ? &*other : nullptr};
  for_each_sidecar(session, context.job.output, sides, alignments, [&](AlignmentSidecar& sidecar) {
    if (sidecar.has_sources() && context.job.gromov.coupling == "dense")
      sidecar.add_source_rows("coupling", coupling_matrix(result.solution), sides.target.num_cells,
                              std::numeric_limits<float>::quiet_NaN());
    sidecar.add_uns("thalweg/gromov", constants_of(result));
  });
}

void log_solution(const GromovSolution& solution) {
  log_info("loss E " + rounded_number(solution.energy, 6) + ", F " + rounded_number(solution.primal, 6) +
           ", stationarity gap " + rounded_number(solution.gap) + ", marginal errors " +
           rounded_number(solution.coupling.error_source) + " and " + rounded_number(solution.coupling.error_target));
  log_info(std::to_string(solution.outer) + " outer steps, " + std::to_string(solution.evaluations) +
           " evaluations in " + rounded_number(solution.seconds) + " s, " + name_of(solution.stop_reason));
  if (solution.coupling.is_collapsed)
    log_warning("collapsed", "the coupling has mass " + rounded_number(solution.coupling.mass) +
                                 ", nearly none; raise gromov.rho_1 and gromov.rho_2");
  if (solution.stop_reason != StopReason::converged)
    log_warning("not_converged",
                "stopped for the reason " + name_of(solution.stop_reason) + "; the coupling is no stationary point");
}

}  // namespace

void write_alignment(JobSession& session, const JobContext& context, const AlignmentResult& result,
                     const Alignment& alignment, const CellPairs& pairs) {
  const TransportSides& sides = result.sides;
  const GromovSolution& solution = result.solution;
  const JointSpace of_source = joint_space(sides.source, alignment.target);
  const JointSpace of_target = joint_space(sides.target, alignment.source);
  write_sidecars(session, context, result, alignment);
  session.write_table("gromov", gromov_table(result));
  session.write_table("starts", starts_table(result.starts));
  session.write_text("convergence.csv", gromov_convergence(sides.pair, result.starts).csv());
  if (!alignment.class_masses.empty()) session.write_table("labels", label_table(sides, alignment.class_masses));
  if (!result.costs.source.bridges().empty() || !result.costs.target.bridges().empty())
    session.write_table("bridges", bridge_table(result.costs));
  session.write_text("index.tsv", index_tsv({gromov_index(result)}));
  if (!pairs.source.empty() || !sides.source.categories.empty()) {
    session.write_table("scores", score_table_of(session.comm(), sides, pairs, of_source, of_target));
  }
  if (!session.makes_plots()) return;
  session.write_plot("convergence", plot_convergence(gromov_curves(solution, context.job.gromov.tolerance)));
  session.write_plot("projection_x", projection_plot(sides.target, sides.source, of_target));
  session.write_plot("projection_y", projection_plot(sides.source, sides.target, of_source));
}

void log_alignment(const MultiStartSolution& starts) {
  log_info("of " + std::to_string(starts.starts.size()) + " starts, '" + starts.best_start + "' has the least F" +
           (starts.bounds ? "; lower bound of E_gw " + rounded_number(starts.bounds->best(), 6) : ""));
  log_solution(starts.best);
  if (starts.is_ambiguous)
    log_warning("ambiguous", "the coupling of start '" + starts.other_start +
                                 "' is a very different one and has F within 2 % of the least, as mirror images and other "
                                 "near-symmetries do; compare the starts in tables/starts.tsv; pairs that are known decide "
                                 "(gromov.anchors)");
}

}  // namespace thalweg
