// A transport problem checked and in the form the iteration uses.
#pragma once

#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// One marginal: weights w (a or b) and reference (alpha or beta).
struct TransportSide {
  std::vector<double> weights;
  std::vector<double> log_reference;  // log alpha; -inf where w is zero
  std::vector<double> log_ratio;      // log(w / alpha); 0 where w is zero
  double lambda = 0.0;
  double mass = 0.0;                  // |w|
  double reference_mass = 0.0;        // |alpha|

  bool is_exact() const;
  /// lambda / (lambda + epsilon); 1 for an exact side.
  double tau(double epsilon) const;
  /// Marginal that the potential asks for: w exp(-f / lambda).
  double wanted(std::size_t index, double potential) const;
  /// Dual value of the penalty: w f, or -lambda w (exp(-f / lambda) - 1).
  double dual_term(std::size_t index, double potential) const;
  /// lambda w KL(s | w) of one entry, 0 for an exact side; `sum` is its row or column sum.
  double penalty(std::size_t index, double sum) const;
};

struct PreparedTransport {
  TransportSide source, target;
  double epsilon = 0.0;
  bool is_symmetric = false;
  RowRange rows;                      // owned

  bool is_balanced() const { return source.is_exact() && target.is_exact(); }
  /// |R|
  double reference_mass() const { return source.reference_mass * target.reference_mass; }
  std::span<const double> owned(const std::vector<double>& of_all_rows) const;
};

/// Checks the problem, and gives the geometry its reference.
/// @throws DataError   for weights that are negative, not finite, all zero or, balanced, not of sum 1; for a bad warm start
/// @throws ConfigError for epsilon or lambda out of range
PreparedTransport prepare_transport(const SinkhornProblem& problem);

/// Tells the geometry reference and epsilon.
void enter_epsilon(const PreparedTransport& transport, double epsilon, PairGeometry& geometry);

}  // namespace thalweg
