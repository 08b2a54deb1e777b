// Files of trained encoders, and of cells that they are applied to.
#pragma once

#include "job/embedding_tables.hpp"
#include "job/gromov_cells.hpp"
#include "job/job_session.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// Per-cell results, labels, scores and the plot of the embedding. Collective.
/// @param pairs   empty: no scores of pairs
void write_embedded_cells(JobSession& session, const OutputOptions& output, const EmbeddingResult& result,
                          const Alignment& alignment, const CellPairs& pairs);

/// The embedding of one side alone. Collective.
void write_one_side(JobSession& session, const OutputOptions& output, const EmbeddingResult& result, bool is_source);

/// Tables, history and loss curves of the training. Collective.
/// @param starts   alignments that encoders were fitted to; absent: none were
void write_training(JobSession& session, const EmbeddingResult& result, const TrainedEncoders& trained,
                    const AlignmentCosts& costs, const std::optional<MultiStartSolution>& starts);

/// Logs the outcome of the training and warns where a user should look.
void log_training(const TrainedEncoders& trained);

/// Warns of cells far from those of the training.
void log_outside(const EmbeddingResult& result);

}  // namespace thalweg
