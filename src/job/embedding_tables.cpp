#include "job/embedding_tables.hpp"

#include <algorithm>
#include <cmath>

#include "job/principal_plane.hpp"
#include "job/quantity_table.hpp"
#include "job/run_record.hpp"
#include "solvers/embedding/unit_rows.hpp"

namespace thalweg {

namespace {

std::string name_of(TrainingPhase phase) { return phase == TrainingPhase::pretrain ? "fit" : "train"; }

/// Number of the start of a step.
std::int64_t number_of(const TrainedEncoders& trained, const std::string& name) {
  for (std::size_t s = 0; s < trained.starts.size(); ++s)
    if (trained.starts[s].name == name) return static_cast<std::int64_t>(s) + 1;
  return 0;
}

ConvergenceRow row_of(const std::string& pair, std::int64_t start, const TrainingRecord& step) {
  ConvergenceRow row;
  row.problem = pair;
  row.stage = name_of(step.phase);
  row.level = start;
  row.outer = step.step;
  row.inner = step.sinkhorn_iterations;
  row.epsilon = step.epsilon;
  row.objective = step.gw;
  row.primal = step.total;
  row.marginal_error_target = step.marginal_error;
  row.seconds = step.seconds;
  row.extra = {step.start,
               step.loss,
               step.entropy,
               step.spectral,
               step.fused,
               step.anchor,
               step.gradient_norm,
               step.learning_rate,
               static_cast<double>(step.cg_iterations),
               step.cg_residual,
               step.median_blocks,
               step.single_block_share,
               step.is_discarded ? 1.0 : 0.0,
               step.is_batch ? 1.0 : 0.0,
               step.gradient_error};
  return row;
}

/// Of the last step of a phase: a training that makes no progress any more has converged.
StopReason end_of_phase(const TrainedEncoders& trained, const TrainingRecord& step) {
  if (step.is_discarded) return StopReason::nonfinite;
  if (step.phase == TrainingPhase::pretrain) return StopReason::max_iterations;
  const bool is_over = std::any_of(trained.starts.begin(), trained.starts.end(), [&](const StartOutcome& start) {
    return start.name == step.start && start.ended_by == "no_progress";
  });
  return is_over ? StopReason::converged : StopReason::max_iterations;
}

const std::vector<std::string> step_columns = {"start", "loss", "entropy", "spectral", "fused", "anchor", "gradient_norm",
                                               "learning_rate", "cg_iterations", "cg_residual", "median_blocks",
                                               "single_block_share", "discarded", "batch", "gradient_error"};

void add_coupling(const SinkhornSolution& coupling, QuantityTable& report) {
  report.add("cost", coupling.cost, "<C, P> of the embedding cost");
  report.add("entropy", coupling.entropy, "-sum P log P");
  report.add("marginal_error_source", coupling.error_source, "L1 distance to the demanded marginal / its mass");
  report.add("marginal_error_target", coupling.error_target, "the same of the targets");
  report.add("evaluations", coupling.evaluations, "of all pairs of cells, in the last coupling");
  report.add("stop_reason", name_of(coupling.stop_reason), "of the last coupling");
}

void add_outside(const EmbeddingResult& result, QuantityTable& report) {
  report.add("outside_training_source", result.share_outside_source,
             "share of source cells with a feature 10 standard deviations from the mean of the training cells");
  report.add("outside_training_target", result.share_outside_target, "the same of the targets");
}

}  // namespace

Table training_starts_table(const TrainedEncoders& trained) {
  Table table({"start", "name", "gw_fitted", "loss_fitted", "total_fitted", "gw", "loss", "total", "F", "steps", "ended_by",
               "keeps_fitted", "collapsed", "overlap", "seconds", "chosen"});
  std::int64_t number = 0;
  for (const StartOutcome& start : trained.starts)
    table.add_row({++number, start.name, start.fitted_gw, start.fitted_loss, start.fitted_total, start.gw, start.loss,
                   start.total, start.primal, start.steps, start.ended_by, start.keeps_fitted, start.is_collapsed,
                   start.overlap, start.seconds, start.is_chosen});
  return table;
}

Table training_table(const EmbeddingResult& result, const TrainedEncoders& trained, const AlignmentCosts& costs) {
  const StartOutcome& chosen = trained.starts[trained.chosen];
  QuantityTable report;
  report.add("n", result.sides.source.num_cells, "source cells");
  report.add("m", result.sides.target.num_cells, "target cells");
  report.add("scale_source", costs.source.divisor(), "divisor of the costs within the source side");
  report.add("scale_target", costs.target.divisor(), "divisor of the costs within the target side");
  if (costs.geodesic_k > 0)
    report.add("geodesic_k", costs.geodesic_k, "neighbours in the graph, the cell itself counted");
  report.add("weights", static_cast<std::int64_t>(trained.weights.size()), "of both encoders");
  report.add("loss", result.model.loss, "what was minimised");
  report.add("epsilon", result.model.epsilon, "regularisation of the coupling of the embeddings");
  report.add("gw_loss", chosen.gw, "Gromov-Wasserstein loss E of that coupling");
  report.add("F", chosen.primal, "E + lambda_entropy KL(P | a b^T), by which the start was chosen");
  report.add("training_loss", chosen.loss, "the loss that was minimised, of the same coupling");
  report.add("gw_loss_fitted", chosen.fitted_gw, "the first before training, after the fit to an alignment");
  report.add("keeps_fitted", chosen.keeps_fitted, "training did not lower the loss, and its weights were dropped");
  report.add("start", chosen.name, "of the chosen encoders: tables/starts.tsv");
  report.add("ambiguous", trained.is_ambiguous,
             "a coupling of another start, or of another alignment in tables/gw_starts.tsv, that shares less than 0.8 with the "
             "best one has F within 2 % of its F");
  report.add("cost_scale", trained.cost_scale, "divisor of squared distances between embeddings");
  add_coupling(result.solution.coupling, report);
  report.add("seconds", trained.seconds, "of the training");
  report.add("training_stop_reason", name_of(trained.stop_reason), "converged: the chosen start ran to its end");
  return std::move(report).table();
}

Table applied_table(const EmbeddingResult& result) {
  QuantityTable report;
  report.add("n", result.sides.source.num_cells, "source cells");
  report.add("m", result.sides.target.num_cells, "target cells");
  add_outside(result, report);
  if (result.solution.geometry) {
    report.add("epsilon", result.solution.epsilon, "regularisation of the coupling of the embeddings");
    add_coupling(result.solution.coupling, report);
  }
  return std::move(report).table();
}

ConvergenceTable training_convergence(const std::string& pair, const TrainedEncoders& trained,
                                      const GromovSolution& solution) {
  ConvergenceTable table(step_columns);
  for (std::size_t k = 0; k < trained.history.size(); ++k) {
    const TrainingRecord& step = trained.history[k];
    ConvergenceRow row = row_of(pair, number_of(trained, step.start), step);
    const bool is_last = k + 1 == trained.history.size() || trained.history[k + 1].phase != step.phase ||
                         trained.history[k + 1].start != step.start;
    if (is_last) row.stop_reason = end_of_phase(trained, step);
    table.add(std::move(row));
  }
  const StartOutcome& chosen = trained.starts[trained.chosen];
  TrainingRecord last;
  last.start = chosen.name;
  last.epsilon = solution.coupling.epsilon;
  last.gw = chosen.gw;
  last.total = chosen.total;
  last.loss = chosen.loss;
  last.step = chosen.steps;
  last.sinkhorn_iterations = solution.coupling.evaluations;
  last.marginal_error = solution.coupling.error_target;
  last.seconds = trained.seconds;
  ConvergenceRow row = row_of(pair, static_cast<std::int64_t>(trained.chosen) + 1, last);
  row.stage = "result";
  row.marginal_error_source = solution.coupling.error_source;
  row.stop_reason = solution.stop_reason;
  table.add(std::move(row));
  return table;
}

ConvergenceHistory training_curves(const TrainedEncoders& trained, TrainingPhase phase) {
  const bool is_fit = phase == TrainingPhase::pretrain;
  ConvergenceHistory history;
  history.title = is_fit ? "Fit to alignments" : "Training";
  history.x_label = "step";
  for (const StartOutcome& start : trained.starts) {
    ConvergenceCurve loss{(is_fit ? "cross-entropy, " : "GW loss, ") + start.name, {}, {}},
        norm{"gradient, " + start.name, {}, {}};
    for (const TrainingRecord& step : trained.history) {
      if (step.start != start.name || step.phase != phase) continue;
      loss.x.push_back(static_cast<double>(step.step));
      loss.y.push_back(is_fit ? step.total : step.gw);
      norm.x.push_back(static_cast<double>(step.step));
      norm.y.push_back(step.gradient_norm);
    }
    if (loss.x.empty()) continue;
    history.objectives.push_back(std::move(loss));
    history.residuals.push_back(std::move(norm));
  }
  return history;
}

IndexRow embedding_index(const EmbeddingResult& result, double gw_loss, std::int64_t steps, double seconds) {
  const SinkhornSolution& coupling = result.solution.coupling;
  IndexRow row;
  row.pair = result.sides.pair;
  row.source = result.sides.source.name;
  row.target = result.sides.target.name;
  row.n = result.sides.source.num_cells;
  row.m = result.sides.target.num_cells;
  row.mass = coupling.mass;
  row.cost = gw_loss;
  row.primal = coupling.primal;
  row.marginal_error_source = coupling.error_source;
  row.marginal_error_target = coupling.error_target;
  row.iterations = steps;
  row.stop_reason = result.solution.stop_reason;
  row.seconds = seconds;
  row.peak_gib = static_cast<double>(peak_host_bytes()) / 0x1p30;
  row.file = "model.h5";
  return row;
}

Plot embedding_plot(const TransportSides& sides, const EmbeddingModel& model, const Embedded& embedded) {
  ScatterLook look;
  look.title = "Joint embedding of the cells of both sides";
  look.x_label = "principal axis 1";
  look.y_label = "principal axis 2";
  look.panel_column = "side";
  const bool is_cosine = model.cost == EmbeddingCost::cosine;
  std::vector<double> joint;
  ScatterCells cells;
  std::vector<std::vector<double>> points;
  for (const auto* rows : {&embedded.source, &embedded.target}) {
    points.push_back(is_cosine ? unit_rows(*rows, embedded.dim) : *rows);
    joint.insert(joint.end(), points.back().begin(), points.back().end());
  }
  const PrincipalPlane plane = principal_plane(joint, embedded.dim);
  const bool is_labelled = !sides.source.categories.empty();
  for (std::int32_t panel = 0; panel < 2; ++panel) {
    const CellSide& side = panel == 0 ? sides.source : sides.target;
    look.panels.push_back(side.name);
    add_cells(plane, points[static_cast<std::size_t>(panel)], panel, cells);
    if (is_labelled) cells.category.insert(cells.category.end(), side.labels.begin(), side.labels.end());
  }
  look.categories = is_labelled ? sides.source.categories : look.panels;
  look.category_column = is_labelled ? "label" : "side_again";
  if (!is_labelled) cells.category = cells.panel;
  return plot_cells(look, cells);
}

}  // namespace thalweg
