// E of costs within the sides that are stored: K by two products of matrices.
#pragma once

#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// K(P)_ij = 2 (C_X.^2 a)_i + 2 (C_Y.^2 b)_j - 4 (C_X P C_Y)_ij, owned rows x m in Scalar. P is formed in full for the
/// products.
template <class Scalar>
class DenseCost : public QuadraticCost {
 public:
  DenseCost(const Context& context, const GromovProblem& problem);

  bool is_concave() const override { return false; }
  LinearCost at_product() const override;
  LinearCost at_coupling(const CellCoupling& coupling) const override;
  std::unique_ptr<PairGeometry> geometry_of(const LinearCost& linear) const override;
  Linearisation at(const LinearCost& linear, const PairGeometry& geometry,
                   const SinkhornSolution& inner) const override;
  double relative_change(const LinearCost& k, const LinearCost& l) const override;

 private:
  std::vector<Scalar> linear_of(const std::vector<Scalar>& coupling) const;
  std::vector<Scalar> linear_of_product(const std::vector<double>& g) const;
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
  double constant_ = 0.0;             // a^T C_X.^2 a + b^T C_Y.^2 b
};

}  // namespace thalweg
