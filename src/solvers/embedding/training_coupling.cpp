#include "solvers/embedding/training_coupling.hpp"

#include <algorithm>
#include <cmath>

#include "solvers/sinkhorn/acceleration.hpp"
#include "solvers/sinkhorn/annealing.hpp"

namespace thalweg {

namespace {

/// A few plain evaluations at every epsilon above the final one.
std::vector<double> annealed_start(const Context& context, const SinkhornProblem& problem,
                                   const PreparedTransport& transport, const SinkhornSettings& settings) {
  PairGeometry& geometry = *problem.geometry;
  const double mean_cost = geometry.cost_statistic(CostStatistic::mean) / geometry.scale();
  const SinkhornMap map(context.comm, transport, geometry);
  std::vector<double> g(problem.b.size(), 0.0), f;
  for (const double epsilon : annealing_levels(settings, problem.epsilon, mean_cost)) {
    enter_epsilon(transport, epsilon, geometry);
    for (std::int64_t step = 0; step < settings.anneal_steps; ++step) {
      Iterate now = map.at(geometry.representable(g), f);
      f = std::move(now.f);
      g = std::move(now.image);
    }
  }
  return g;
}

SinkhornSolution solution_of(const PreparedTransport& transport, Iterate best, std::int64_t evaluations) {
  SinkhornSolution solution;
  solution.f = std::move(best.f);
  solution.g = std::move(best.g);
  solution.column_sums = std::move(best.column_sums);
  const auto weights = transport.owned(transport.source.weights);
  solution.row_sums.assign(weights.begin(), weights.end());
  solution.log_alpha = transport.source.log_reference;
  solution.log_beta = transport.target.log_reference;
  solution.epsilon = transport.epsilon;
  solution.dual = best.dual;
  solution.error_target = best.error;
  solution.evaluations = evaluations;
  return solution;
}

}  // namespace

SinkhornSolution training_coupling(const Context& context, const SinkhornProblem& problem,
                                   const SinkhornSettings& settings) {
  const PreparedTransport transport = prepare_transport(problem);
  PairGeometry& geometry = *problem.geometry;
  std::vector<double> g = problem.initial_g;
  if (g.empty()) g = annealed_start(context, problem, transport, settings);
  enter_epsilon(transport, problem.epsilon, geometry);
  const SinkhornMap map(context.comm, transport, geometry);
  const std::unique_ptr<Accelerator> accelerator = make_accelerator(settings, problem.b, problem.epsilon);
  Iterate best;
  std::vector<double> f;
  std::int64_t evaluations = 0;
  while (true) {
    Iterate now = map.at(geometry.representable(g), f);
    ++evaluations;
    const bool is_done = (now.error <= settings.tolerance) || evaluations >= settings.max_iterations;
    f = now.f;
    if (!is_done) g = accelerator->next(now).g;
    if (best.g.empty() || now.error < best.error) best = std::move(now);
    const bool is_finite = std::all_of(g.begin(), g.end(), [](double value) { return std::isfinite(value); });
    if (is_done || !is_finite) break;
  }
  const bool is_converged = best.error <= settings.tolerance;
  SinkhornSolution solution = solution_of(transport, std::move(best), evaluations);
  solution.stop_reason = is_converged ? StopReason::converged : StopReason::max_iterations;
  return solution;
}

}  // namespace thalweg
