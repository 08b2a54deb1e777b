#include "solvers/gromov/gromov.hpp"

#include "solvers/gromov/outer_loop.hpp"
#include "solvers/gromov/unbalanced_loop.hpp"

namespace thalweg {

GromovSolution solve_gromov(const Context& context, const GromovProblem& problem, const GromovSettings& settings,
                            const GromovObserver& observer, const StopCheck& stop_check) {
  if (problem.mode == GromovMode::unbalanced) {
    UnbalancedLoop loop(context, problem, settings);
    loop.watch(observer, stop_check);
    return loop.solve();
  }
  OuterLoop loop(context, problem, settings);
  loop.watch(observer, stop_check);
  return loop.solve();
}

}  // namespace thalweg
