// The state of a job that trains encoders: that of the training, and what is told of the alignments before it.
#pragma once

#include <optional>

#include "job/embedding_starts.hpp"

namespace thalweg {

/// Adds the alignments of a training to what it keeps. The training itself does not restore: `restore_training` does,
/// before the alignments would be solved.
class EmbeddingCheckpoint : public Checkpoint {
 public:
  /// @param starts   of the encoders; absent where all are random
  EmbeddingCheckpoint(const Communicator& comm, Checkpoint& states, std::optional<EmbeddingStarts>& starts)
      : comm_(comm), states_(states), starts_(starts) {}

  /// The state of an earlier run, with the alignments it has still to fit. Collective.
  std::optional<TrainingState> restore_training();

  bool restore(const VisitState&) override { return false; }
  void reread(const VisitState& visit) override { states_.reread(visit); }
  bool is_due(bool at_boundary) const override { return states_.is_due(at_boundary); }
  void save(const std::string& stage, bool is_stopping, const VisitState& visit) override;

 private:
  void visit_starts(StateVisitor& v);

  const Communicator& comm_;
  Checkpoint& states_;
  std::optional<EmbeddingStarts>& starts_;
};

}  // namespace thalweg
