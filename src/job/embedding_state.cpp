#include "job/embedding_state.hpp"

#include "distributed/state_texts.hpp"

namespace thalweg {

namespace {

/// Names apart.
void visit_fields(StartReport& report, auto& field) {
  field(report.anchor_primal);
  field(report.anchor_overlap);
  field(report.is_carried);
  field(report.primal);
  field(report.energy_gw);
  field(report.gap);
  field(report.overlap);
  field(report.outer);
  field(report.evaluations);
  field(report.seconds);
  field(report.stop_reason);
  field(report.is_chosen);
}

/// What tables read of the alignments; their couplings are listed by the training.
void visit_report(StateVisitor& v, MultiStartSolution& solution) {
  std::vector<std::string> names{solution.best_start, solution.other_start}, merged;
  for (const StartReport& report : solution.starts) {
    names.push_back(report.name);
    merged.push_back(report.merged_into);
  }
  visit_texts(v, "names", names);
  visit_texts(v, "merged", merged);
  v.records("reports", solution.starts, [](StartReport& report, auto& field) { visit_fields(report, field); });
  v.scalar("is_ambiguous", solution.is_ambiguous);
  v.scalar("epsilon", solution.best.epsilon);
  solution.best_start = names.at(0);
  solution.other_start = names.at(1);
  for (std::size_t k = 0; k < solution.starts.size(); ++k) {
    solution.starts[k].name = names.at(k + 2);
    solution.starts[k].merged_into = merged.at(k);
  }
}

}  // namespace

void EmbeddingCheckpoint::visit_starts(StateVisitor& v) {
  v.optional("alignments", starts_, [&](EmbeddingStarts& starts) { visit_report(v, starts.solution); });
}

std::optional<TrainingState> EmbeddingCheckpoint::restore_training() {
  TrainingState state;
  std::vector<NamedCoupling> couplings;
  const bool is_there = states_.restore([&](StateVisitor& v) {
    visit_training(v, comm_, state, couplings);
    visit_starts(v);
  });
  if (!is_there) return std::nullopt;
  if (starts_) starts_->couplings = std::move(couplings);
  return state;
}

void EmbeddingCheckpoint::save(const std::string& stage, bool is_stopping, const VisitState& visit) {
  states_.save(stage, is_stopping, [&](StateVisitor& v) {
    visit(v);
    visit_starts(v);
  });
}

}  // namespace thalweg
