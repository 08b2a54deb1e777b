#include "solvers/gromov/gromov.hpp"

#include "solvers/gromov/frank_wolfe.hpp"
#include "solvers/gromov/outer_loop.hpp"
#include "solvers/gromov/unbalanced_loop.hpp"

namespace thalweg {

GromovSolution solve_gromov(const Context& context, const GromovProblem& problem, const GromovSettings& settings,
                            const GromovObserver& observer, const StopCheck& stop_check) {
  const bool is_sharp = settings.algorithm == GromovAlgorithm::frank_wolfe;
  if (is_sharp) check_frank_wolfe(context, problem);
  if (problem.mode == GromovMode::unbalanced) {
    UnbalancedLoop loop(context, problem, settings);
    loop.watch(observer, stop_check);
    return loop.solve();
  }
  OuterLoop loop(context, problem, settings);
  loop.watch(observer, stop_check);
  GromovSolution solution = loop.solve();
  if (!is_sharp || is_stop_request(solution.stop_reason) || solution.stop_reason == StopReason::nonfinite) return solution;
  FrankWolfe sharp(context, problem, settings);
  sharp.watch(observer, stop_check);
  return sharp.solve(std::move(solution));
}

}  // namespace thalweg
