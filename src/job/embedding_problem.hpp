// The training problem of a job: encoders, what they read, and the terms of the loss.
#pragma once

#include <vector>

#include "job/embedding_starts.hpp"
#include "solvers/embedding/training.hpp"

namespace thalweg {

/// Owns what a TrainingProblem views, but for sides and costs, which must outlive it. Not to be moved.
class EmbeddingJob {
 public:
  /// Collective. @param sides   whose rows are normalised already
  /// @throws DataError for sides of fewer than 16 cells, features that are all constant, anchors that are no cells or
  /// repeated, features of embed.fused_key that differ
  EmbeddingJob(const Context& context, const Job& job, const TransportSides& sides, const AlignmentCosts& costs,
               std::vector<NamedCoupling> couplings);
  EmbeddingJob(const EmbeddingJob&) = delete;
  EmbeddingJob& operator=(const EmbeddingJob&) = delete;

  const TrainingProblem& problem() const { return problem_; }
  TrainingProblem& problem() { return problem_; }
  const FeatureScaling& source_scaling() const { return source_scaling_; }
  const FeatureScaling& target_scaling() const { return target_scaling_; }

 private:
  void add_graphs(const Context& context, const Job& job, const TransportSides& sides);
  void add_fused(const Communicator& comm, const Job& job, const TransportSides& sides);
  void add_anchors(const Communicator& comm, const Job& job, const TransportSides& sides);

  FeatureScaling source_scaling_, target_scaling_;
  SideMatrices fused_;
  TrainingProblem problem_;
};

/// What [embed] says of the training.
TrainingSettings training_settings_of(const EmbedOptions& options, bool with_anchors);

EmbeddingCost embedding_cost_of(const EmbedOptions& options);

/// Whether the job gives cells or classes that belong together.
bool has_anchors(const EmbedOptions& options);

/// @throws DataError for a side of fewer than 16 cells
void check_sizes(const TransportSides& sides);

/// Says what is wrong with steps of a few cells. @throws DataError where a side has fewer
void check_batch(const EmbedOptions& options, const TransportSides& sides);

}  // namespace thalweg
