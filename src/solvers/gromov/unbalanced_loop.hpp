// The outer iteration of unbalanced Gromov-Wasserstein problems: alternate steps on both factors of the coupling.
#pragma once

#include <limits>

#include "solvers/gromov/outer_history.hpp"
#include "solvers/gromov/product_coupling.hpp"

namespace thalweg {

/// A coupling P of mass w, whose f and g are moved so that they generate it, and its terms of F, with
/// S(u|v) = sum u log(u / v). K is that of its linear problem less a constant: K / w of the coupling before.
struct UnbalancedState : LinearisedCoupling {
  double constant = 0.0;   // s / w
  double joint = 0.0;      // S(P | a b^T)
  double rows = 0.0;       // S(P 1 | a)
  double columns = 0.0;    // S(P^T 1 | b)
  double primal = 0.0;     // F
  double least = 0.0;      // D: a lower bound of the linear problem that P solves
  double tolerance = 0.0;  // that it was to be solved to
  bool is_tight = false;   // solved to the final inner tolerance
};

/// With G the coupling before, w = |G| and K = 2 alpha L(G) / s_GW + (1 - alpha) M / s_W:
///
///   s = epsilon S(G | a b^T) + rho_1 S(G 1 | a) + rho_2 S(G^T 1 | b)
///   P = argmin <(K + s) / w, P> + epsilon KL(P | a b^T) + rho_1 KL(P 1 | a) + rho_2 KL(P^T 1 | b),   P <- P (w /
///   |P|)^(1/2)
///
/// s moves the mass alone: P of K times exp(-(s / w) / (epsilon + rho_1 + rho_2)). As grad F(P) = w [(K(P) + s) / w -
/// the cost whose solution P is], mixtures (1 - t) and t of the two costs descend for small t: where F rises t is
/// halved, a success doubles it; the last factor is for t = 1 alone. `converged`: w times the linear problem's value at
/// G less its minimum is within tolerance |F|, |P - G|_1 <= 1e-6 w (float32: the larger of 1e-5 and 1e-6 / epsilon,
/// which is what rounded costs leave), and the linear problem is solved to inner_tolerance, at most 1e-7 (float32:
/// 1e-6). Source: Sejourne, Vialard & Peyre (2021), The unbalanced Gromov Wasserstein distance; docs/math.md.
class UnbalancedLoop {
 public:
  UnbalancedLoop(const Context& context, const GromovProblem& problem, const GromovSettings& settings);
  void watch(const GromovObserver& observer, const StopCheck& stop_check) { history_.watch(observer, stop_check); }

  GromovSolution solve();

 private:
  using Stop = std::optional<StopReason>;
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  void begin();
  Stop anneal();
  Stop descend();
  Stop step();
  UnbalancedState first() const;
  UnbalancedState after(const UnbalancedState& before, double epsilon, double t);
  SinkhornSolution solve_linear(PairGeometry& geometry, double epsilon, std::vector<double> g);
  void add_terms(UnbalancedState& state) const;
  double bound_of(const SinkhornSolution& inner, double shift) const;
  double gap_of(const UnbalancedState& state, const UnbalancedState& next) const;
  double distance_between(const UnbalancedState& p, const UnbalancedState& q) const;
  bool is_risen(const UnbalancedState& candidate) const;
  Stop interruption(const UnbalancedState& state) const;
  Stop end_of_step(const UnbalancedState& candidate, double gap) const;
  void tighten(double change, bool is_closed);
  double change_of(const UnbalancedState& state) const;
  double constant_of(const UnbalancedState& state, double epsilon) const;
  void record(const UnbalancedState& state, double gap, bool is_accepted);

  // [unbalanced_loop_state.cpp]
  Stop ask();
  bool restore();
  const char* stage() const { return now_.is_annealing ? "annealing" : "final epsilon"; }
  void visit_state(StateVisitor& v);

  Context context_;
  const GromovProblem& problem_;
  const GromovSettings& settings_;
  OuterHistory history_;
  std::unique_ptr<QuadraticCost> cost_;
  ProductCoupling product_;
  UnbalancedState state_;
  OuterPosition now_;
  double distance_tolerance_ = 0.0;  // of |P - G|_1 / w
  double final_tolerance_ = 0.0;     // of linear problems: that of the job, and finer than the distance
};

}  // namespace thalweg
