// E of costs within the sides that are stored: K by two products of matrices.
#pragma once

#include "solvers/gromov/fused_terms.hpp"
#include "solvers/gromov/product_coupling.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// K(P)_ij = (alpha / s_GW) [2 (C_X.^2 p)_i + 2 (C_Y.^2 q)_j - 4 (C_X P C_Y)_ij] + ((1 - alpha) / s_W) M_ij, owned rows
/// x m in Scalar; p = a and q = b of balanced couplings, else p = P 1 and q = P^T 1. P is formed in full for the
/// products.
template <class Scalar>
class DenseCost : public QuadraticCost {
 public:
  DenseCost(const Context& context, const GromovProblem& problem);

  bool is_concave() const override { return false; }
  FusedUnits units() const override { return units_; }
  LinearCost at_product() const override;
  std::unique_ptr<PairGeometry> geometry_of(const LinearCost& linear) const override;
  Linearisation at(const LinearCost& linear, const PairGeometry& geometry,
                   const SinkhornSolution& inner) const override;
  double relative_change(const LinearCost& k, const LinearCost& l) const override;

  RowRange rows() const { return rows_; }
  FusedFactors factors() const { return factors_; }
  /// C_X P C_Y of owned rows x m.
  std::vector<double> product_with(const std::vector<Scalar>& coupling) const;
  /// K of a coupling of marginals a and b. @param product   C_X P C_Y
  std::vector<Scalar> linear_of(const std::vector<double>& product) const { return linear_of(product, terms_); }
  /// E_gw and <M, P> of a coupling of those marginals, and E.
  void add_energies(const std::vector<Scalar>& coupling, const std::vector<double>& product, Linearisation& at) const {
    add_energies(coupling, product, terms_, at);
  }
  /// <X, Y> of owned rows x m, over all ranks.
  double inner_product(std::span<const double> x, std::span<const double> y) const;

 private:
  /// Row and column terms of L, and what is left over where they are those of a and b.
  struct Terms {
    std::vector<double> rows;     // (C_X.^2 p)_i of the owned rows
    std::vector<double> columns;  // (C_Y.^2 q)_j, all
    double constant = 0.0;        // balanced: a^T C_X.^2 a + b^T C_Y.^2 b
  };

  Terms terms_of(std::span<const double> p, std::span<const double> q) const;
  void weigh_parts(const GromovProblem& problem);
  std::vector<Scalar> linear_of(const std::vector<double>& product, const Terms& terms) const;
  void add_energies(const std::vector<Scalar>& coupling, const std::vector<double>& product, const Terms& terms,
                    Linearisation& at) const;
  template <class Term>
  double sum_over_pairs(const Term& term) const;
  std::vector<Scalar> coupling_of(const std::vector<Scalar>& linear, const SinkhornSolution& inner) const;

  Context context_;
  ProductCoupling product_;
  StoredIntraCosts source_, target_;
  std::vector<double> a_, b_;
  GromovMode mode_ = GromovMode::balanced;
  RowRange rows_;                 // owned
  RowRange columns_;              // of C_Y that are owned
  std::int64_t num_columns_ = 0;  // m
  Terms terms_;                   // of the coupling where iterations begin
  FusedUnits units_;
  FusedFactors factors_;
  std::vector<Scalar> linear_;  // (1 - alpha) M / s_W of the owned rows; empty without M
};

}  // namespace thalweg
