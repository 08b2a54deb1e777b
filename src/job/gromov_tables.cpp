#include "job/gromov_tables.hpp"

#include <cmath>
#include <limits>

#include "core/format_number.hpp"
#include "job/principal_plane.hpp"
#include "job/quantity_table.hpp"
#include "job/run_record.hpp"
#include "job/start_tables.hpp"

namespace thalweg {

namespace {

ConvergenceRow row_of(const std::string& pair, const std::string& start, const GromovRecord& step) {
  ConvergenceRow row;
  row.problem = pair;
  row.stage = "solve";
  row.level = step.level;
  row.outer = step.outer;
  row.inner = step.inner;
  row.epsilon = step.epsilon;
  row.objective = step.energy;
  row.primal = step.primal;
  row.gap = step.gap;
  row.marginal_error_source = 0.0;  // by the form of f
  row.marginal_error_target = step.error_target;
  row.change = step.change;
  row.seconds = step.seconds;
  row.stop_reason = step.stop_reason;
  row.extra = {start,
               step.step,
               step.energy_gw,
               step.energy_linear,
               step.relative_entropy,
               step.is_accepted ? 1.0 : 0.0};
  return row;
}

const std::vector<std::string> step_columns = {"start", "t", "E_gw", "linear", "kl", "accepted"};

/// The last row, of all of a solve.
ConvergenceRow result_row(const std::string& pair, const std::string& start, const GromovSolution& solution) {
  ConvergenceRow last = row_of(pair, start, solution.history.back());
  last.stage = "result";
  last.inner = solution.evaluations;
  last.objective = solution.energy;
  last.primal = solution.primal;
  last.gap = solution.gap;
  last.marginal_error_source = solution.coupling.error_source;
  last.marginal_error_target = solution.coupling.error_target;
  last.seconds = solution.seconds;
  last.stop_reason = solution.stop_reason;
  last.extra = {start,
                solution.history.back().step,
                solution.energy_gw,
                solution.energy_linear,
                solution.coupling.relative_entropy,
                1.0};
  return last;
}

/// What a factor that stood for geodesics left out.
void add_factor(const SideCosts& costs, const std::string& side, QuantityTable& report) {
  if (costs.rank() == 0) return;
  report.add("factor_rank_" + side, costs.rank(), "columns of the factor of the " + side + " costs");
  if (!costs.geodesic_factor()) return;
  report.add("factor_error_" + side, costs.geodesic_factor()->error,
             "relative error of that factor of geodesics, on the rows of cells that did not make it");
  report.add("factor_error_deviation_" + side, costs.geodesic_factor()->error_deviation, "its standard error");
}

void add_fused_part(const GromovSolution& solution, QuantityTable& report) {
  report.add("linear", solution.energy_linear, "linear loss <M, P>");
  report.add("alpha", solution.alpha, "weight of the quadratic loss");
  report.add("unit_quadratic", solution.units.quadratic, "divisor of E_gw");
  report.add("unit_linear", solution.units.linear, "divisor of <M, P>");
  report.add("E", solution.energy, "loss alpha E_gw / unit_quadratic + (1 - alpha) linear / unit_linear");
}

}  // namespace

Table label_table(const TransportSides& sides, const std::vector<double>& class_masses) {
  Table table({"source_label", "target_label", "mass", "share_of_source_label"});
  const auto columns = sides.target.categories.size();
  for (std::size_t i = 0; i < sides.source.categories.size(); ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < columns; ++j) sum += class_masses[i * columns + j];
    for (std::size_t j = 0; j < columns; ++j) {
      const double mass = class_masses[i * columns + j];
      table.add_row({sides.source.categories[i], sides.target.categories[j], mass,
                     sum > 0.0 ? mass / sum : std::numeric_limits<double>::quiet_NaN()});
    }
  }
  return table;
}

Table bridge_table(const AlignmentCosts& costs) {
  Table table({"side", "from", "to", "distance"});
  for (const auto& [name, side] : {std::pair{"source", &costs.source}, std::pair{"target", &costs.target}})
    for (const Edge& edge : side->bridges())
      table.add_row({std::string(name), std::int64_t{edge.from}, std::int64_t{edge.to}, edge.distance});
  return table;
}

Table gromov_table(const AlignmentResult& result) {
  const GromovSolution& solution = result.solution;
  QuantityTable report;
  report.add("n", result.sides.source.num_cells, "source cells");
  report.add("m", result.sides.target.num_cells, "target cells");
  report.add("scale_source", result.costs.source.divisor(), "divisor of the costs within the source side");
  report.add("scale_target", result.costs.target.divisor(), "divisor of the costs within the target side");
  if (result.costs.geodesic_k > 0)
    report.add("geodesic_k", result.costs.geodesic_k, "neighbours in the graph, the cell itself counted");
  add_factor(result.costs.source, "source", report);
  add_factor(result.costs.target, "target", report);
  report.add("epsilon", solution.epsilon, "in units of the loss of scaled costs");
  report.add("E_gw", solution.energy_gw, "quadratic loss sum (C_X - C_Y)^2 P P");
  if (result.exact) {
    report.add("loss_exact", result.exact->loss, "the same loss with exact geodesics, between these cells:");
    report.add("loss_exact_sources", result.exact->num_sources, "source cells, all or a random part");
    report.add("loss_exact_targets", result.exact->num_targets, "target cells, all or a random part");
  }
  if (solution.alpha < 1.0) add_fused_part(solution, report);
  report.add("primal", solution.primal, "F, the loss that is minimised: E with its regularisation");
  report.add("mass", solution.coupling.mass, "of the coupling");
  report.add("relative_entropy", solution.coupling.relative_entropy, "KL(P | a b^T)");
  report.add("gap", solution.gap, "stationarity gap");
  report.add("marginal_error_source", solution.coupling.error_source, "L1 distance to the demanded marginal / its mass");
  report.add("marginal_error_target", solution.coupling.error_target, "the same of the targets");
  add_starts(result.starts, 1.0, report);
  report.add("outer", solution.outer, "outer steps, annealing included");
  report.add("evaluations", solution.evaluations, "of all pairs of cells, in the linear problems");
  report.add("seconds", solution.seconds, "of the solve");
  report.add("stop_reason", name_of(solution.stop_reason),
      "converged: the stationarity gap and the marginals are within tolerance");
  return std::move(report).table();
}

ConvergenceTable gromov_convergence(const std::string& pair, const MultiStartSolution& starts) {
  ConvergenceTable table(step_columns);
  for (const StartReport& start : starts.starts)
    for (const GromovRecord& step : start.history) table.add(row_of(pair, start.name, step));
  table.add(result_row(pair, starts.best_start, starts.best));
  return table;
}

ConvergenceHistory gromov_curves(const GromovSolution& solution, double tolerance) {
  ConvergenceHistory history;
  history.title = "Alignment";
  history.x_label = "outer step";
  history.objectives = {{"loss", {}, {}}, {"regularised loss", {}, {}}};
  history.residuals = {{"stationarity gap / F", {}, {}}, {"error of the column sums", {}, {}}};
  history.tolerance = tolerance;
  for (const GromovRecord& step : solution.history) {
    const double values[] = {step.energy, step.primal, step.gap / std::abs(step.primal), step.error_target};
    for (std::size_t c = 0; c < 4; ++c) {
      ConvergenceCurve& curve = c < 2 ? history.objectives[c] : history.residuals[c - 2];
      curve.x.push_back(static_cast<double>(step.outer));
      curve.y.push_back(values[c]);
    }
    if (step.epsilon == solution.epsilon && history.boundaries.empty())
      history.boundaries.push_back({static_cast<double>(step.outer), "epsilon " + rounded_number(step.epsilon)});
  }
  return history;
}

IndexRow index_row_of(const GromovSolution& solution) {
  IndexRow row;
  row.mass = solution.coupling.mass;
  row.cost = solution.energy;
  row.primal = solution.primal;
  row.gap = solution.gap;
  row.marginal_error_source = solution.coupling.error_source;
  row.marginal_error_target = solution.coupling.error_target;
  row.iterations = solution.outer;
  row.stop_reason = solution.stop_reason;
  row.seconds = solution.seconds;
  row.peak_gib = static_cast<double>(peak_host_bytes()) / 0x1p30;
  return row;
}

IndexRow gromov_index(const AlignmentResult& result) {
  IndexRow row = index_row_of(result.solution);
  row.pair = result.sides.pair;
  row.source = result.sides.source.name;
  row.target = result.sides.target.name;
  row.n = result.sides.source.num_cells;
  row.m = result.sides.target.num_cells;
  return row;
}

Plot projection_plot(const CellSide& own, const CellSide& other, const JointSpace& space) {
  ScatterLook look;
  look.title = "Cells of the " + other.name + " side among those of the " + own.name + " side";
  look.x_label = "principal coordinate 1 of the " + own.name + " features";
  look.y_label = "principal coordinate 2";
  look.panels = {own.name, other.name + ", projected"};
  look.panel_column = "side";
  const PrincipalPlane plane = principal_plane(space.own, space.dimension);
  ScatterCells cells;
  add_cells(plane, space.own, 0, cells);
  add_cells(plane, space.projected, 1, cells);
  if (own.categories.empty()) {
    look.categories = look.panels;
    look.category_column = "side_again";
    cells.category = cells.panel;
  } else {
    look.categories = own.categories;
    look.category_column = "label";
    cells.category = own.labels;
    cells.category.insert(cells.category.end(), other.labels.begin(), other.labels.end());
  }
  return plot_cells(look, cells);
}

}  // namespace thalweg
