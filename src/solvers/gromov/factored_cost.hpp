// E of costs within both sides that are products of narrow matrices: K is an inner product, its state one small matrix.
#pragma once

#include "solvers/gromov/fused_terms.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// For C_X = V D V^T and C_Y = W F W^T, with D and F diagonal,
///
///   E_gw(P) = const - 2 <M, Z>,   K_ij = -4 v_i^T M w_j,   Z = V^T P W,   M = D Z F (r_X x r_Y)
///
/// up to terms of rows and columns; (C_X.^2 a)_i = v_i^T D [V^T diag(a) V] D v_i, so that no pass over pairs of cells
/// of a side is needed. In K the rows of V and W are centred by their weighted means, which moves terms of rows and
/// columns alone and takes off the large part that all costs share. Shared features are further columns, each part by
/// its factor, as in SquaredCost. P is formed in tiles and dropped. Both factors lie on every rank. Source: Scetbon,
/// Peyre & Cuturi (2022), Linear-time Gromov Wasserstein distances; docs/math.md.
class FactoredCost : public QuadraticCost {
 public:
  FactoredCost(const Context& context, const GromovProblem& problem);

  bool is_concave() const override { return false; }
  FusedUnits units() const override { return units_; }
  LinearCost at_product() const override;
  LinearCost at_coupling(const CellCoupling& coupling) const override;
  LinearCost at_entries(const CouplingEntries& coupling) const override;
  std::unique_ptr<PairGeometry> geometry_of(const LinearCost& linear) const override;
  Linearisation at(const LinearCost& linear, const PairGeometry& geometry,
                   const SinkhornSolution& inner) const override;
  /// The norm is that of K centred, weighted by a b^T.
  double relative_change(const LinearCost& k, const LinearCost& l) const override;

 private:
  struct Side {
    Matrix centred;                // rows of V less their weighted mean
    std::vector<double> mean;      // V^T a
    std::vector<double> diagonal;  // D, scaled
    Matrix moment;                 // V^T diag(a) V of the centred rows
    std::vector<double> weights;
  };

  static Side side_of(const FactoredCosts& costs, const std::vector<double>& weights, const char* name);
  static double own_energy(const Side& side);  // a^T C.^2 a
  double product_energy(const std::vector<double>& core, const std::vector<double>& moments) const;
  std::vector<double> core_of(const std::vector<double>& moments) const;
  double square_of(const std::vector<double>& core) const;
  std::int64_t num_features() const { return target_.centred.columns + shared_.target.columns; }

  Context context_;
  Side source_, target_;
  SharedClouds shared_;
  std::vector<double> target_features_;            // centred rows of W, v_j
  double constant_ = 0.0, shared_constant_ = 0.0;  // of E_gw and <M, P>
  FusedUnits units_;
  FusedFactors factors_;
};

}  // namespace thalweg
