// The outer iteration of Gromov-Wasserstein problems: linearise, solve the linear problem, accept or shorten the step.
#pragma once

#include <limits>

#include "solvers/gromov/outer_history.hpp"

namespace thalweg {

/// Once a step was tried from here, at.linear is K + reach (K(P) - K).
struct OuterState : LinearisedCoupling {
  double reach = 1.0;
  double tolerance = 0.0;  // that the linear problem was to be solved to
  bool is_tight = false;   // it was, and that is the final one

  bool is_proximal = false;
  std::vector<double> prices;  // proximal: psi_j of K(P)_ij = phi_i + psi_j, which holds where P is stationary
  double correction = 0.0;     // proximal: <psi, b - q>

  double primal() const { return at.energy + (is_proximal ? 0.0 : inner.epsilon * inner.relative_entropy); }
  /// F less its first-order change by what is wrong with the marginals of P.
  double lagrangian() const { return is_proximal ? at.energy + correction : at.energy - inner.cost + inner.dual; }
};

/// Where linear costs are stored, cells x cells, a full step leaves the cost before to be freed, so that K and K(P) are
/// all there is: the first rise of F stands, and only the steps after it can be taken back and made shorter.
///
/// A state is of the moment before a linear problem is solved, and lists what that begins with: at.linear, which is the
/// next K or what it is made of, the potentials, and K where the loop may come back to it. Within a linear problem the
/// state of that solve goes with it.
class OuterLoop {
 public:
  OuterLoop(const Context& context, const GromovProblem& problem, const GromovSettings& settings);
  void watch(const GromovObserver& observer, const StopCheck& stop_check) { history_.watch(observer, stop_check); }

  GromovSolution solve();

 private:
  using Stop = std::optional<StopReason>;
  struct Trial {
    OuterState state;
    double gap = 0.0, change = 0.0;
    bool is_full = false, is_risen = false;
  };

  void begin();
  LinearCost first_linear() const;
  Stop anneal();
  Stop descend();
  Stop step();
  Stop settle(Trial trial);
  Stop tighten();
  OuterState solved(LinearCost linear, double epsilon, std::vector<double> g);
  SinkhornSolution solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g);
  LinearCost next_linear();
  std::vector<double> next_potentials() const;
  void set_prices(std::vector<double> prices, OuterState& state) const;
  std::vector<double> prices_of(const OuterState& state) const;
  double change_of(const OuterState& candidate) const;
  double gap_of(const OuterState& state, const OuterState& next) const;
  bool is_loose(const OuterState& state) const { return state.tolerance > settings_.inner_tolerance; }
  void forget_cost();
  void stand(OuterState risen);
  bool is_risen(const OuterState& candidate) const;
  Stop end_of_step(const Trial& trial) const;
  Stop shorten();
  void lengthen();
  void record(const OuterState& state, double gap, double change, bool is_accepted);

  // [outer_loop_state.cpp]
  Stop ask();
  bool restore();
  bool needs_cost() const;
  const char* stage() const { return now_.is_annealing ? "annealing" : "final epsilon"; }
  void visit_state(StateVisitor& v);

  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  bool is_proximal() const { return problem_.regularisation == Regularisation::proximal; }

  Context context_;
  const GromovProblem& problem_;
  const GromovSettings& settings_;
  OuterHistory history_;
  std::unique_ptr<QuadraticCost> cost_;
  OuterState state_;
  OuterPosition now_;
};

}  // namespace thalweg
