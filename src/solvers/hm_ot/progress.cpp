#include "solvers/hm_ot/progress.hpp"

namespace thalweg {

namespace {

void visit_fields(RestartRecord& record, auto& field) {
  bool is_kmeans = record.start == "kmeans";
  field(is_kmeans);
  record.start = is_kmeans ? "kmeans" : "transport";
  field(record.objective);
  field(record.regularized);
  field(record.is_chosen);
}

void visit_start_moments(StateVisitor& v, const Chain& chain, std::vector<Matrix>& moments) {
  if (v.is_restoring()) moments.assign(chain.edges.size(), Matrix(chain.num_coordinates, chain.num_coordinates));
  std::vector<std::vector<double>*> values;
  for (Matrix& moment : moments) values.push_back(&moment.values);
  v.ragged("start_moments", values);
}

}  // namespace

ChainState shaped_state(const Chain& chain) {
  ChainState state;
  state.slices.resize(chain.num_slices());
  state.couplings.resize(chain.edges.size());
  for (std::size_t t = 0; t < chain.num_slices(); ++t) {
    const std::int64_t r = chain.slices[t].num_types;
    state.slices[t].means = Matrix(chain.dimension, r);
    if (!chain.slices[t].has_fixed_membership()) state.slices[t].logits = Matrix(chain.dimension, r);
  }
  for (std::size_t t = 0; t < chain.edges.size(); ++t)
    state.couplings[t] = Matrix(chain.slices[t].num_types, chain.slices[t + 1].num_types);
  return state;
}

void visit_chain_state(StateVisitor& v, const Chain& chain, ChainState& state) {
  if (v.is_restoring()) state = shaped_state(chain);
  std::vector<double> values;
  std::vector<std::vector<double>*> vectors;
  for (SliceState& slice : state.slices) {
    vectors.insert(vectors.end(), {&slice.logits.values, &slice.duals, &slice.masses, &slice.actual, &slice.means.values});
    values.push_back(slice.entropy);
  }
  for (Matrix& coupling : state.couplings) vectors.push_back(&coupling.values);
  values.push_back(state.objective);
  values.push_back(state.regularized);
  vectors.insert(vectors.end(), {&state.coupling_gap, &values});
  v.ragged("numbers", vectors);
  if (values.size() != state.slices.size() + 2) throw DataError("the state of the chain does not have its values");
  for (std::size_t t = 0; t < state.slices.size(); ++t) state.slices[t].entropy = values[t];
  state.objective = values[state.slices.size()];
  state.regularized = values.back();
}

void RaceState::visit_state(StateVisitor& v, const Chain& chain) {
  v.scalar("sweeps", sweeps);
  v.replicated("alive", alive);
  std::size_t num_starts = starts.size();
  v.scalar("num_starts", num_starts);
  starts.resize(num_starts);
  for (std::size_t k = 0; k < num_starts; ++k) {
    v.part("start_" + std::to_string(k), [&] {
      v.scalar("objective", starts[k].objective);
      v.scalar("regularized", starts[k].regularized);
      v.scalar("is_done", starts[k].is_done);
      v.optional("state", starts[k].state, [&](ChainState& of_start) { visit_chain_state(v, chain, of_start); });
    });
  }
}

void HmOtProgress::visit_state(StateVisitor& v, const Chain& chain) {
  v.scalar("stage", stage);
  v.scalar("full_rank_reference", full_rank_reference);
  if (stage == Stage::race) {
    if (chain.has_coordinates()) visit_start_moments(v, chain, start_moments);
    return v.part("race", [&] { race.visit_state(v, chain); });
  }
  v.records("restarts", restarts, [](RestartRecord& record, auto& field) { visit_fields(record, field); });
  v.part("state", [&] { visit_chain_state(v, chain, state); });
  v.optional("baseline", baseline_state, [&](ChainState& baseline) { visit_chain_state(v, chain, baseline); });
  v.scalar("level", level);
  v.scalar("reason", reason);
  v.optional("descent", position, [&](DescentPosition& at) { at.visit_state(v, chain); });
  v.records("history", history, [](DescentRecord& record, auto& field) { thalweg::visit_fields(record, field); });
  v.scalar("passes", passes);
}

}  // namespace thalweg
