// Sinkhorn as a fixed-point problem in g: f follows from g, and both give the image of g.
#pragma once

#include "solvers/sinkhorn/prepare.hpp"

namespace thalweg {

/// g, what follows from it in one evaluation, and its image.
struct Iterate {
  std::vector<double> g;            // all columns
  std::vector<double> f;            // owned rows: f = F(g)
  std::vector<double> column_sums;  // c of P(f, g)
  std::vector<double> image;        // g+
  double error = 0.0;               // e = sum_j |c_j - q_j| / sum_j q_j, q_j = b_j exp(-g_j / lambda2)
  double residual = 0.0;            // |g+ - g|_b / epsilon
  double dual = 0.0;                // D(f, g)
  double relative_gap = 0.0;        // of F and D when the target is relaxed, else NaN
  std::int64_t fallback_tiles = 0;

  bool is_finite() const;
};

/// The map g -> g+ at one epsilon.
///
///   f  = F(g)                                     rows are exact, or what f asks of a relaxed source
///   g+ = tau2 (g + epsilon log(b / c)) - t        c: column sums of P(f, g)
///   t  = shift of (f + t, g - t) of largest D if a side is relaxed, else 0
///
/// A symmetric problem has f = g at its solution, and uses g+ = (g + F(g)) / 2 at the price of F alone.
class SinkhornMap {
 public:
  SinkhornMap(const Communicator& comm, const PreparedTransport& transport, const PairGeometry& geometry);

  /// One evaluation. Collective. @param f_before  f of an earlier one, or empty
  Iterate at(std::vector<double> g, std::span<const double> f_before) const;

  /// One evaluation in the form for two sides, which gives exact rows for symmetric problems too.
  Iterate at_pair(std::vector<double> g, std::span<const double> f_before) const;

 private:
  Iterate at_self(std::vector<double> g, std::span<const double> f_before) const;
  RowUpdate row_update() const;
  double best_shift(double source_dual, std::span<const double> g) const;
  void set_errors(Iterate& now) const;
  double source_mass(double source_dual) const;
  void set_values(double source_dual, Iterate& now) const;

  const Communicator& comm_;
  const PreparedTransport& transport_;
  const PairGeometry& geometry_;
};

/// A(f) = sum_i of the dual terms of the source. Collective.
double source_dual(const Communicator& comm, const PreparedTransport& transport, std::span<const double> f);

/// B(g).
double target_dual(const PreparedTransport& transport, std::span<const double> g);

/// F - D = lambda2 KL(c | q) of a pair with f = F(g) and a relaxed target.
double target_gap(const TransportSide& target, std::span<const double> g, std::span<const double> column_sums);

}  // namespace thalweg
