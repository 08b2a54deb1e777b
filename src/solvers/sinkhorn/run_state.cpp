// What a solve goes on from.
#include "solvers/sinkhorn/run.hpp"

namespace thalweg {

namespace {

using Clock = std::chrono::steady_clock;

void visit_fields(SinkhornRecord& record, auto& field) {
  bool is_float64 = record.mode == "float64";
  field(record.level);
  field(record.evaluation);
  field(record.epsilon);
  field(record.error);
  field(record.residual);
  field(record.dual);
  field(record.is_accelerated);
  field(record.is_restart);
  field(is_float64);
  field(record.seconds);
  field(record.stop_reason);
  record.mode = is_float64 ? "float64" : "float32";
}

}  // namespace

/// Between two evaluations, the next of which is of point_.
void SinkhornRun::visit_state(StateVisitor& v) {
  v.scalar("is_float64", is_float64_);
  v.scalar("is_probed", is_probed_);
  v.scalar("may_anneal_again", may_anneal_again_);
  v.scalar("is_annealing", is_annealing_);
  v.scalar("level", level_);
  v.scalar("anneal_step", anneal_step_);
  v.part("point", [&] { point_.visit_state(v); });
  v.rows("f", f_, transport_.rows);
  v.replicated("best_g", best_g_);
  v.scalar("best_error", best_error_);
  v.scalar("stagnation_error", stagnation_error_);
  v.scalar("stagnation_dual", stagnation_dual_);
  v.scalar("stagnation_evaluation", stagnation_evaluation_);
  v.scalar("first_evaluation", first_evaluation_);
  v.scalar("evaluations", counters_.evaluations);
  v.scalar("evaluations_float64", counters_.evaluations_float64);
  v.scalar("fallback_tiles", counters_.fallback_tiles);
  v.scalar("restarts", counters_.restarts);
  v.records("history", counters_.history, [](SinkhornRecord& record, auto& field) { visit_fields(record, field); });
  bool is_iterating = accelerator_ != nullptr;
  v.scalar("is_iterating", is_iterating);
  double passed = seconds();
  v.scalar("seconds", passed);
  if (v.is_restoring()) {
    geometry_ = is_float64_ ? &exact_geometry() : problem_.geometry;
    begin_ = Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(passed));
    accelerator_ = is_iterating ? make_accelerator(settings_, transport_.target.weights, transport_.epsilon) : nullptr;
  }
  if (accelerator_) v.part("acceleration", [&] { accelerator_->visit_state(v); });
}

std::int64_t sinkhorn_state_vectors(const SinkhornSettings& settings) {
  std::int64_t vectors = 2;  // the point and the best one
  if (settings.acceleration == Acceleration::anderson) vectors += 1 + 2 * (settings.anderson_history + 1);
  if (settings.acceleration == Acceleration::overrelax) vectors += 1;
  return vectors;
}

}  // namespace thalweg
