// E of costs within the sides that are stored: K by two products of matrices.
#pragma once

#include "solvers/gromov/fused_terms.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// K(P)_ij = (alpha / s_GW) [2 (C_X.^2 a)_i + 2 (C_Y.^2 b)_j - 4 (C_X P C_Y)_ij] + ((1 - alpha) / s_W) M_ij, owned rows x m
/// in Scalar. P is formed in full for the products.
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

 private:
  void weigh_parts(const GromovProblem& problem, RowRange columns);
  std::vector<double> product_with(const std::vector<Scalar>& coupling) const;
  std::vector<Scalar> linear_of(const std::vector<double>& product) const;
  std::vector<Scalar> coupling_of(const std::vector<Scalar>& linear, const SinkhornSolution& inner) const;
  template <class Term>
  double sum_over_pairs(const Term& term) const;

  Context context_;
  StoredIntraCosts source_, target_;
  std::vector<double> a_, b_;
  RowRange rows_;                     // owned
  std::int64_t num_columns_ = 0;      // m
  std::vector<double> row_terms_;     // (C_X.^2 a)_i of the owned rows
  std::vector<double> column_terms_;  // (C_Y.^2 b)_j, all
  FusedUnits units_;
  FusedFactors factors_;
  std::vector<Scalar> linear_;        // (1 - alpha) M / s_W of the owned rows; empty without M
  double constant_ = 0.0;             // a^T C_X.^2 a + b^T C_Y.^2 b
};

}  // namespace thalweg
