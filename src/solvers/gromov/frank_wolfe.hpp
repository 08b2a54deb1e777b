// Gromov-Wasserstein without regularisation, by Frank-Wolfe steps from a coupling that is nearly there.
#pragma once

#include <chrono>

#include "solvers/gromov/dense_cost.hpp"
#include "solvers/gromov/outer_state.hpp"
#include "solvers/gromov/transport_vertex.hpp"

namespace thalweg {

/// Minimises E over couplings of marginals a and b. With R = argmin <K(P), R> and D = R - P,
///
///   E(P + t D) = E(P) + t c_1 + t^2 c_2,   c_1 = <K(P), D>,   c_2 = -2 alpha <C_X D C_Y, D> / s_GW
///
/// and t in [0, 1] is the minimiser. `converged`: the gap -c_1 is at most min(tolerance, 1e-7) |E|, or rounding of
/// <K(P), P>.
/// Source: Vayer et al. (2019), Optimal transport for structured data with application on graphs.
class FrankWolfe {
 public:
  /// A problem that passed `check_frank_wolfe`.
  FrankWolfe(const Context& context, const GromovProblem& problem, const GromovSettings& settings);
  void watch(const GromovObserver& observer, const StopCheck& stop_check);

  /// Goes on from the state that settings.checkpoint has.
  bool restore();
  /// Where it is not restored. @param start   a solution of the same problem, whose history goes on
  void begin(GromovSolution start);
  GromovSolution solve();

 private:
  using Stop = std::optional<StopReason>;

  Stop ask();
  void visit_state(StateVisitor& v);
  void begin_at(const GromovSolution& start);
  void make_feasible();
  Stop step();
  double step_length(double c1, double c2) const;
  void add_vertex(const std::vector<CouplingEntry>& vertex, std::vector<double>& rows) const;
  double seconds() const;
  void record(double gap, double t);
  GromovSolution result(StopReason reason);
  SinkhornSolution as_potentials(CostTiles<double>& linear) const;

  Context context_;
  const GromovProblem& problem_;
  const GromovSettings& settings_;
  GromovObserver observer_;
  StopCheck stop_check_;
  DenseCost<double> cost_;
  std::vector<double> coupling_;  // P, owned rows x m
  std::vector<double> product_;   // C_X P C_Y, the same
  Linearisation at_;              // energies of P
  GromovSolution result_;
  std::int64_t level_ = 0;
  std::int64_t outer_ = 0;  // steps of this kind
  bool is_asked_ = false;
  double seconds_before_ = 0.0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// @throws DataError for costs that are not stored, float32, modes but `balanced`, proximal steps, more pairs of cells
/// than transport_vertex takes
void check_frank_wolfe(const Context& context, const GromovProblem& problem);

}  // namespace thalweg
