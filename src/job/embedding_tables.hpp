// Tables and plots of trained encoders.
#pragma once

#include <optional>
#include <string>

#include "io/plots/convergence.hpp"
#include "io/plots/plot.hpp"
#include "io/table.hpp"
#include "job/convergence_table.hpp"
#include "job/embedding_model.hpp"
#include "job/gromov_costs.hpp"
#include "job/index_table.hpp"
#include "solvers/embedding/training.hpp"

namespace thalweg {

/// All rows of both embeddings, on every rank.
struct Embedded {
  std::int64_t dim = 0;
  std::vector<double> source, target;  // cells x dim; empty: no such side
};

/// Encoders with the coupling of the embeddings that they give to all cells.
struct EmbeddingResult {
  const TransportSides& sides;
  const EmbeddingModel& model;
  const Embedded& embedded;
  const GromovSolution& solution;  // without a quadratic loss: its coupling and geometry
  double share_outside_source = 0.0, share_outside_target = 0.0;
  std::optional<bool> is_ambiguous = {};  // of a training
};

/// tables/starts.tsv: one start of the training a row.
Table training_starts_table(const TrainedEncoders& trained);
/// tables/training.tsv: one quantity a row.
Table training_table(const EmbeddingResult& result, const TrainedEncoders& trained, const AlignmentCosts& costs);
/// tables/apply.tsv: one quantity a row.
Table applied_table(const EmbeddingResult& result);
/// convergence.csv: a step of the optimiser a row; `outer` is the step, `level` the number of the start.
ConvergenceTable training_convergence(const std::string& pair, const TrainedEncoders& trained,
                                      const GromovSolution& solution);
/// The cross-entropy of the fit, or the Gromov-Wasserstein loss of the training, and norms of gradients over the steps
/// of every start that has any.
ConvergenceHistory training_curves(const TrainedEncoders& trained, TrainingPhase phase);
IndexRow embedding_index(const EmbeddingResult& result, double gw_loss, std::int64_t steps, double seconds);

/// Cells of both sides on the two principal axes of their joint embedding, a panel a side, coloured by label or side.
Plot embedding_plot(const TransportSides& sides, const EmbeddingModel& model, const Embedded& embedded);

}  // namespace thalweg
