#include "solvers/sinkhorn/divergence.hpp"

#include <cmath>
#include <numeric>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

constexpr double least_resolved = 10.0;  // gaps

double mass_of(std::span<const double> weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); }

void check(const DivergenceProblem& problem) {
  if (problem.cross.reference != EntropyReference::product)
    throw ConfigError("a divergence has the product reference; set entropy_reference to \"product\"");
  if (problem.cross.lambda1 != problem.cross.lambda2)
    throw ConfigError("a divergence needs the same lambda on both sides; set lambda1 and lambda2 to one value");
}

}  // namespace

SinkhornSolution solve_self_transport(const Context& context, PairGeometry& geometry, std::span<const double> weights,
                                      const SinkhornProblem& cross, const SinkhornSettings& settings,
                                      const SinkhornObserver& observer, const StopCheck& stop_check) {
  SinkhornProblem problem = cross;
  problem.geometry = &geometry;
  problem.a.assign(weights.begin(), weights.end());
  problem.b = problem.a;
  problem.lambda2 = problem.lambda1;
  problem.initial_g.clear();
  problem.is_symmetric = true;
  return solve_sinkhorn(context, problem, settings, observer, stop_check);
}

DivergenceSolution divergence_of(SinkhornSolution cross, SinkhornSolution source_self, SinkhornSolution target_self,
                                 const SinkhornProblem& problem) {
  DivergenceSolution solution;
  const double difference = mass_of(problem.a) - mass_of(problem.b);
  solution.value = cross.dual - 0.5 * source_self.dual - 0.5 * target_self.dual + 0.5 * problem.epsilon * difference * difference;
  solution.resolution = cross.gap + source_self.gap + target_self.gap;
  solution.is_below_resolution = std::abs(solution.value) < least_resolved * solution.resolution;
  solution.cross = std::move(cross);
  solution.source_self = std::move(source_self);
  solution.target_self = std::move(target_self);
  return solution;
}

DivergenceSolution solve_divergence(const Context& context, const DivergenceProblem& problem, const SinkhornSettings& settings,
                                    const SinkhornObserver& observer, const StopCheck& stop_check) {
  check(problem);
  const SinkhornProblem& cross = problem.cross;
  return divergence_of(solve_sinkhorn(context, cross, settings, observer, stop_check),
                       solve_self_transport(context, *problem.source_self, cross.a, cross, settings, observer, stop_check),
                       solve_self_transport(context, *problem.target_self, cross.b, cross, settings, observer, stop_check), cross);
}

}  // namespace thalweg
