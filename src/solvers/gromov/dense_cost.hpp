// E of costs within the sides that are stored: K by two products of matrices.
#pragma once

#include "kernels/pair_columns_host.hpp"
#include "solvers/gromov/column_panels.hpp"
#include "solvers/gromov/fused_terms.hpp"
#include "solvers/gromov/product_coupling.hpp"
#include "solvers/gromov/quadratic_cost.hpp"

namespace thalweg {

/// K(P)_ij = (alpha / s_GW) [2 (C_X.^2 p)_i + 2 (C_Y.^2 q)_j - 4 (C_X P C_Y)_ij] + ((1 - alpha) / s_W) M_ij, owned rows
/// x m in Scalar; p = a and q = b of balanced couplings, else p = P 1 and q = P^T 1. Of matrices n x m there are K,
/// K(P) and M: P is formed from K where it is multiplied, P C_Y and C_X P C_Y in panels of 512 columns.
template <class Scalar>
class DenseCost : public QuadraticCost {
 public:
  using Tiles = CostTiles<Scalar>;

  DenseCost(const Context& context, const GromovProblem& problem);

  bool is_concave() const override { return false; }
  bool is_stored() const override { return true; }
  FusedUnits units() const override { return units_; }
  LinearCost at_product() const override;
  LinearCost at_coupling(const CellCoupling& coupling) const override;
  LinearCost at_entries(const CouplingEntries& coupling) const override;
  std::unique_ptr<PairGeometry> geometry_of(const LinearCost& linear) const override;
  Linearisation at(const LinearCost& linear, const PairGeometry& geometry,
                   const SinkhornSolution& inner) const override;
  double relative_change(const LinearCost& k, const LinearCost& l) const override;

  // Of matrices of owned rows x m, row-major: Frank-Wolfe steps [dense_rows.cpp]
  RowRange rows() const { return rows_; }
  FusedFactors factors() const { return factors_; }
  /// C_X P C_Y
  std::vector<double> product_with(const std::vector<Scalar>& coupling) const;
  /// K of a coupling of marginals a and b. @param product   C_X P C_Y
  std::vector<Scalar> linear_of(const std::vector<double>& product) const;
  /// E_gw and <M, P> of a coupling of those marginals, and E.
  void add_energies(const std::vector<Scalar>& coupling, const std::vector<double>& product, Linearisation& at) const;
  /// <X, Y>, over all ranks.
  double inner_product(std::span<const double> x, std::span<const double> y) const;

 private:
  /// Row and column terms of L, and what is left over where they are those of a and b.
  struct Terms {
    std::vector<double> rows;     // (C_X.^2 p)_i of the owned rows
    std::vector<double> columns;  // (C_Y.^2 q)_j, all
    double constant = 0.0;        // balanced: a^T C_X.^2 a + b^T C_Y.^2 b
  };
  /// P_ij = 2^(u_i + v_j - kappa K_ij)
  struct Coupling {
    const Tiles& linear;  // K
    double kappa = 0.0;
    std::vector<double> u, v;  // of the owned rows, padded to tiles; of all columns

    host::CouplingTile<Scalar> tile(std::int64_t tile) const {
      return {linear, tile, kappa, u.data() + tile * tile_rows, v.data()};
    }
  };
  /// C_X P C_Y of some owned rows and columns: column by column, block_rows entries each.
  struct Block {
    RowRange rows, columns;
    const double* product;
  };
  struct PairSums;

  Terms terms_of(std::span<const double> p, std::span<const double> q) const;
  void weigh_parts(const GromovProblem& problem);
  Coupling coupling_of(const Tiles& linear, const SinkhornSolution& inner) const;
  std::vector<Scalar> target_columns(RowRange columns) const;
  LeftRows<Scalar> source_rows() const;
  LeftRows<Scalar> coupling_rows(const Coupling& coupling) const;
  template <class Use>
  void for_each_block_of_product(const LeftRows<Scalar>& coupling, const Use& use) const;
  double linear_cost(std::size_t i, std::size_t j) const;  // [dense_rows.cpp]
  void set_block(const Block& block, const Terms& terms, Tiles& next) const;
  void add_block(const Block& block, const Terms& terms, const Coupling& coupling, const Tiles& next,
                 PairSums& sums) const;
  void set_energies(double half, double between, const Terms& terms, Linearisation& at) const;
  template <class Term>
  double sum_over_pairs(const Term& term) const;  // [dense_rows.cpp]

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
  std::unique_ptr<Tiles> linear_;  // (1 - alpha) M / s_W of the owned rows; null without M
};

}  // namespace thalweg
