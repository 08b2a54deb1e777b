#include "solvers/sinkhorn/sinkhorn.hpp"

#include "solvers/sinkhorn/report.hpp"
#include "solvers/sinkhorn/run.hpp"

namespace thalweg {

SinkhornSolution solve_sinkhorn(const Context& context, const SinkhornProblem& problem, const SinkhornSettings& settings,
                                const SinkhornObserver& observer, const StopCheck& stop_check) {
  const PreparedTransport transport = prepare_transport(problem);
  SinkhornRun run(context, problem, transport, settings);
  run.watch(observer, stop_check);
  SinkhornSolution solution;
  if (auto final = run.solve(solution)) report_solution(context.comm, transport, settings, run.exact_geometry(), std::move(*final), solution);
  return solution;
}

}  // namespace thalweg
