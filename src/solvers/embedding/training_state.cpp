// What a training of encoders tells of its steps, and what it goes on from.
#include <algorithm>

#include "distributed/state_texts.hpp"
#include "solvers/embedding/training.hpp"

namespace thalweg {

namespace {

const std::vector<std::string> ends = {"steps", "no_progress", "nonfinite"};

/// A text as its place in a list of all that it may be.
void visit_word(const std::vector<std::string>& words, std::string& word, auto& field) {
  auto place = static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
  field(place);
  if (place < words.size()) word = words[place];
}

void visit_fields(const std::vector<std::string>& names, TrainingRecord& record, auto& field) {
  visit_word(names, record.start, field);
  field(record.phase);
  field(record.step);
  field(record.epsilon);
  field(record.total);
  field(record.gw);
  field(record.loss);
  field(record.entropy);
  field(record.spectral);
  field(record.fused);
  field(record.anchor);
  field(record.gradient_norm);
  field(record.learning_rate);
  field(record.is_batch);
  field(record.gradient_error);
  field(record.sinkhorn_iterations);
  field(record.cg_iterations);
  field(record.marginal_error);
  field(record.cg_residual);
  field(record.median_blocks);
  field(record.single_block_share);
  field(record.is_discarded);
  field(record.seconds);
}

void visit_fields(const std::vector<std::string>& names, StartOutcome& outcome, auto& field) {
  visit_word(names, outcome.name, field);
  field(outcome.fitted_gw);
  field(outcome.fitted_loss);
  field(outcome.fitted_total);
  field(outcome.gw);
  field(outcome.loss);
  field(outcome.total);
  field(outcome.primal);
  field(outcome.steps);
  visit_word(ends, outcome.ended_by, field);
  field(outcome.keeps_fitted);
  field(outcome.is_collapsed);
  field(outcome.seconds);
  field(outcome.cost_scale);
}

void visit_outcomes(StateVisitor& v, const std::string& name, const std::vector<std::string>& names,
                    std::vector<StartOutcome>& outcomes) {
  v.records(name, outcomes, [&](StartOutcome& outcome, auto& field) { visit_fields(names, outcome, field); });
  std::vector<std::vector<double>*> vectors;
  for (StartOutcome& outcome : outcomes) vectors.insert(vectors.end(), {&outcome.weights, &outcome.g});
  v.ragged(name + "_vectors", vectors);
}

void visit_adam(StateVisitor& v, const std::string& name, AdamState& adam) {
  v.part(name, [&] {
    v.scalar("steps", adam.steps);
    v.replicated("first", adam.first);
    v.replicated("second", adam.second);
  });
}

void visit_coupling(StateVisitor& v, const Communicator& comm, TargetCoupling& coupling) {
  v.replicated("sources", coupling.sources);
  v.replicated("targets", coupling.targets);
  v.rows("mass", coupling.mass, own_points(static_cast<std::int64_t>(coupling.sources.size()), comm),
         static_cast<std::int64_t>(coupling.targets.size()));
}

}  // namespace

void TrainingRecord::set(const EmbeddingEvaluation& value) {
  total = value.total;
  gw = value.gw;
  loss = value.loss;
  entropy = value.entropy;
  spectral = value.spectral;
  fused = value.fused;
  anchor = value.anchor;
  sinkhorn_iterations = value.sinkhorn_iterations;
  cg_iterations = value.cg_iterations;
  marginal_error = value.marginal_error;
  cg_residual = value.cg_residual;
  median_blocks = value.median_blocks;
  single_block_share = value.single_block_share;
}

void TrainingState::visit_state(StateVisitor& v) {
  visit_texts(v, "names", names);
  v.scalar("start", start);
  v.scalar("phase", phase);
  v.scalar("step", step);
  v.replicated("weights", weights);
  visit_adam(v, "adam", adam);
  v.scalar("learning_rate", learning_rate);
  v.replicated("weights_before", weights_before);
  visit_adam(v, "adam_before", adam_before);
  v.scalar("discarded", discarded);
  v.scalar("is_taken_back", is_taken_back);
  v.replicated("g", warm.g);
  v.replicated("beta", warm.beta);
  v.scalar("cost_scale", warm.cost_scale);
  v.replicated("losses", losses);
  v.replicated("best_weights", best_weights);
  v.scalar("best_total", best_total);
  std::vector<StartOutcome> now{outcome};
  visit_outcomes(v, "outcome", names, now);
  outcome = now.at(0);
  visit_outcomes(v, "outcomes", names, outcomes);
  v.records("history", history, [&](TrainingRecord& record, auto& field) { visit_fields(names, record, field); });
  v.scalar("seconds", seconds);
}

void visit_training(StateVisitor& v, const Communicator& comm, TrainingState& state,
                    std::vector<NamedCoupling>& couplings) {
  state.visit_state(v);
  std::size_t count = couplings.size();
  v.scalar("num_couplings", count);
  couplings.resize(count);
  const auto first = static_cast<std::size_t>(state.start + (state.phase == TrainingPhase::train ? 1 : 0));
  for (std::size_t k = 0; k < count; ++k) {
    couplings[k].name = state.names.at(k);
    if (k >= first) v.part("coupling_" + std::to_string(k), [&] { visit_coupling(v, comm, couplings[k].coupling); });
  }
}

std::int64_t training_state_bytes(std::int64_t num_starts, std::int64_t num_weights, std::int64_t num_targets) {
  constexpr std::int64_t of_step = 8;     // weights and both moments, as they are and before the step, best and outcome
  constexpr std::int64_t potentials = 3;  // g and beta of the step, g of the outcome
  return 8 * ((of_step + num_starts) * num_weights + (potentials + num_starts) * num_targets);
}

}  // namespace thalweg
