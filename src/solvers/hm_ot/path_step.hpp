// The type-mass step: all g of the chain together, along the path law of the current solution.
#pragma once

#include <optional>
#include <vector>

#include "solvers/hm_ot/sweep.hpp"

namespace thalweg {

/// Derivatives of the minimal F_eps: node scores dF/dg_t,k (envelope) and edge scores K_kl.
struct PathScores {
  std::vector<std::vector<double>> nodes;
  std::vector<Matrix> edges;
  double range() const;
};

PathScores path_scores(const Chain& chain, const ChainState& state, double epsilon);

/// Node and edge marginals of a law on paths z_0 .. z_N.
struct PathLaw {
  std::vector<std::vector<double>> masses;
  std::vector<Matrix> couplings;
};

/// Marginals of the law proportional to  p(z) exp(-eta [sum_t s_t(z_t) + sum_t M_t(z_t, z_{t+1})]),
/// p(z) = g_0(z_0) prod_t T_t(z_t, z_{t+1}) / g_t(z_t), by one forward-backward pass in the log domain;
/// given masses by iterative proportional fitting. Zeros of T stay zero.
PathLaw tilted_law(const Chain& chain, const std::vector<Matrix>& couplings, const PathScores& scores, double eta);

/// Sets masses and couplings of `state` to those of `law`, given ones excepted.
/// @return false when a mass would fall below its minimum; the state is then unchanged
bool set_law(const Chain& chain, const PathLaw& law, ChainState& state);

/// True when some slice may still choose its masses.
bool has_free_masses(const Chain& chain);

}  // namespace thalweg
