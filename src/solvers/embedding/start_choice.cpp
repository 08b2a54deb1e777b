#include "solvers/embedding/start_choice.hpp"

#include <cmath>

#include "distributed/error.hpp"
#include "solvers/gromov/cell_coupling.hpp"

namespace thalweg {

namespace {

constexpr double distinct_overlap = 0.8, close_primal = 0.02;

bool has_value(const StartOutcome& outcome) { return std::isfinite(outcome.primal); }

}  // namespace

TrainedEncoders choose_start(const Context& context, const EmbeddingProblem& problem, const EncoderPair& encoders,
                             const EncoderInputs& cells, const TrainingSettings& settings,
                             std::vector<StartOutcome> starts) {
  TrainedEncoders result;
  for (std::size_t s = 1; s < starts.size(); ++s)
    if (has_value(starts[s]) && !(starts[s].primal >= starts[result.chosen].primal)) result.chosen = s;
  StartOutcome& best = starts[result.chosen];
  if (!has_value(best))
    throw NumericalError(
        "no start of the training has a finite loss; lower embed.learning_rate, or raise embed.epsilon_end");
  best.is_chosen = true;
  result.weights = best.weights;
  result.cost_scale = best.cost_scale;

  // Couplings as overlaps read them.
  const auto coupling_of_start = [&](const StartOutcome& outcome) {
    const EmbeddingCouplingProblem between{settings.loss.cost, outcome.cost_scale, problem.dimension,
                                           problem.a,          problem.b,          settings.epsilon_end};
    EmbeddingCoupling coupled =
        couple_embeddings(context, between, encode(encoders, outcome.weights, cells), outcome.g);
    GromovSolution solution;
    solution.geometry = coupled.geometry;
    solution.coupling = std::move(coupled.solution);
    return solution;
  };
  const GromovSolution chosen = coupling_of_start(best);
  for (std::size_t s = 0; s < starts.size(); ++s) {
    if (!has_value(starts[s])) continue;
    starts[s].overlap = s == result.chosen ? 1.0 : overlap_of(context.comm, coupling_of_start(starts[s]), chosen);
    const bool is_close = starts[s].primal <= best.primal + close_primal * std::abs(best.primal);
    result.is_ambiguous |= starts[s].overlap < distinct_overlap && is_close;
  }
  result.starts = std::move(starts);
  return result;
}

}  // namespace thalweg
