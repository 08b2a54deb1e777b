// E of squared Euclidean distances within both sides: K is an inner product, its state one small matrix.
#pragma once

#include "solvers/gromov/fused_terms.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// With coordinates centred by their weighted means and s = |x|^2,
///
///   E_gw(P) = const - 4 s_X^T P s_Y - 8 |T|_F^2,   K_ij = -4 s_i s_j - 16 x_i^T T y_j,   T = X^T P Y (p x q)
///
/// up to terms of rows and columns. The linear problem is transport with inner products between [s_i, x_i^T T, u_i] and
/// [s_j, y_j, v_j], each part by its factor, with u and v the features both sides share; P is formed in tiles and
/// dropped. E is concave. Both clouds lie on every rank.
class SquaredCost : public QuadraticCost {
 public:
  SquaredCost(const Context& context, const GromovProblem& problem);

  bool is_concave() const override { return true; }
  FusedUnits units() const override { return units_; }
  LinearCost at_product() const override;
  LinearCost at_coupling(const CellCoupling& coupling) const override;
  LinearCost at_entries(const CouplingEntries& coupling) const override;
  std::unique_ptr<PairGeometry> geometry_of(const LinearCost& linear) const override;
  Linearisation at(const LinearCost& linear, const PairGeometry& geometry,
                   const SinkhornSolution& inner) const override;
  double relative_change(const LinearCost& k, const LinearCost& l) const override;

 private:
  /// One side, centred and scaled.
  struct Cloud {
    Matrix points;          // cells x features
    std::vector<double> s;  // |x|^2
    std::vector<double> weights;
  };

  static Cloud cloud_of(const SquaredDistances& side, const std::vector<double>& weights, const char* name);
  static double own_energy(const Cloud& cloud);  // a^T C.^2 a
  std::vector<double> core_of(const std::vector<double>& means, RowRange rows) const;

  std::int64_t num_features() const { return 1 + target_.points.columns + shared_.target.columns; }

  Context context_;
  Cloud source_, target_;
  SharedClouds shared_;
  std::vector<double> target_features_;            // [s_j, y_j, v_j]
  double constant_ = 0.0, shared_constant_ = 0.0;  // of E_gw and <M, P>
  FusedUnits units_;
  FusedFactors factors_;
};

}  // namespace thalweg
