// The outer iteration of Gromov-Wasserstein problems: linearise, solve the linear problem, accept or shorten the step.
#pragma once

#include <chrono>
#include <limits>

#include "solvers/gromov/outer_state.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// A coupling, the linear problem that it solves, and E about it.
struct OuterState {
  LinearCost linear;  // K
  std::shared_ptr<PairGeometry> geometry;
  SinkhornSolution inner;
  Linearisation at;        // K(P), E(P)
  double tolerance = 0.0;  // that the linear problem was to be solved to
  bool is_tight = false;   // it was, and that is the final one

  bool is_proximal = false;
  std::vector<double> prices;  // proximal: psi_j of K(P)_ij = phi_i + psi_j, which holds where P is stationary
  double correction = 0.0;     // proximal: <psi, b - q>

  double primal() const { return at.energy + (is_proximal ? 0.0 : inner.epsilon * inner.relative_entropy); }
  /// F less its first-order change by what is wrong with the marginals of P.
  double lagrangian() const { return is_proximal ? at.energy + correction : at.energy - inner.cost + inner.dual; }
};

/// What a step of the annealing begins with.
struct OuterFirst {
  LinearCost linear;
  std::vector<double> g;
};

class OuterLoop {
 public:
  OuterLoop(const Context& context, const GromovProblem& problem, const GromovSettings& settings);
  void watch(const GromovObserver& observer, const StopCheck& stop_check);

  GromovSolution solve();

 private:
  using Stop = std::optional<StopReason>;

  bool restore();
  void begin_step(std::int64_t outer_at_end, double epsilon);
  Stop keep(const OuterState& state, std::vector<double>& g);
  void save(bool is_stopping, std::vector<double>& g);
  void keep_end(StopReason reason);
  void visit_state(StateVisitor& v, LinearCost& linear, std::vector<double>& g);
  double seconds() const;
  LinearCost first_linear() const;
  Stop anneal();
  Stop descend();
  OuterState solved(LinearCost linear, double epsilon, std::vector<double> g);
  SinkhornSolution solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g) const;
  LinearCost next_linear() const;
  std::vector<double> next_potentials() const;
  void set_prices(std::vector<double> prices, OuterState& state) const;
  std::vector<double> prices_of(const OuterState& state) const;
  double change_of(const OuterState& candidate) const;
  double gap_of(const OuterState& state, const OuterState& next) const;
  Stop tighten();
  bool is_risen(const OuterState& candidate) const;
  Stop end_of_step(const OuterState& candidate, double gap, bool is_risen) const;
  Stop shorten();
  void lengthen();
  void record(const OuterState& state, double gap, double change, bool is_accepted);
  void end_history(StopReason reason);

  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  bool is_proximal() const { return problem_.regularisation == Regularisation::proximal; }

  Context context_;
  const GromovProblem& problem_;
  const GromovSettings& settings_;
  std::unique_ptr<QuadraticCost> cost_;
  GromovObserver observer_;
  StopCheck stop_check_;
  OuterState state_;
  GromovSolution result_;
  std::int64_t level_ = 0;
  double step_ = 1.0;            // t
  std::int64_t since_full_ = 0;  // steps since the last of t = 1
  OuterPosition at_;             // the beginning of the present step
  OuterFirst first_;             // of a restored annealing
  bool is_restored_ = false;
  double inner_tolerance_ = 0.0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace thalweg
