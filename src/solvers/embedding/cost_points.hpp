// Embeddings as points of a cost: normalised or scaled, on every rank, and the way back for gradients.
#pragma once

#include "kernels/pair_weights_host.hpp"
#include "solvers/embedding/embedding_loss.hpp"

namespace thalweg {

/// Points x, y of both sides, all on every rank, whose cost is
///   cosine        1 - x . y,  x = z / (|z|^2 + 1e-12)^(1/2)
///   sq_euclidean  |x - y|^2 / scale, both moved by the mean of the sources
struct CostPoints {
  EmbeddingCost cost = EmbeddingCost::cosine;
  std::int64_t dimension = 0;  // h
  std::int64_t num_rows = 0, num_columns = 0;
  RowRange rows, columns;  // owned
  double scale = 1.0;
  std::vector<double> source, target;  // n x h, m x h

  /// Columns of a product with dC that gradients need: those of the points, for sq_euclidean 1 besides.
  std::int64_t width() const { return dimension + (cost == EmbeddingCost::sq_euclidean ? 1 : 0); }
};

/// Collective. @param source, target  owned rows x h @throws DataError for another shape
CostPoints make_cost_points(const Context& context, const EmbeddingProblem& problem, EmbeddingCost cost,
                            std::span<const double> source, std::span<const double> target);

/// Geometry of the cost; sets points.scale where `scale` is 0: the mean over pairs of cells of positive weight.
std::unique_ptr<PairGeometry> make_cost_geometry(const Context& context, const EmbeddingProblem& problem, double scale,
                                                 CostPoints& points);

/// Factors of the exponents in base 2: P_ij = 2^(e_i . e'_j), for all rows and all columns.
struct CouplingExponents {
  std::vector<double> rows, columns;
  std::int64_t depth = 0;

  PairFactors of_rows(RowRange owned) const;  // owned rows against all columns
  PairFactors of_columns(RowRange owned) const;
};
/// Collective.
CouplingExponents make_exponents(const Communicator& comm, const CostPoints& points, const SinkhornSolution& coupling);

/// C_ij of one pair.
double pair_cost(const CostPoints& points, std::int64_t i, std::int64_t j);

/// Points of one side with the column of ones that `width` counts: rows x width.
std::vector<double> gradient_values(const CostPoints& points, std::span<const double> side);

/// dL/dx of owned points from sums over the other side, dC values: owned x width.
/// @param own  their points
std::vector<double> point_gradient(const CostPoints& points, std::span<const double> own, std::span<const double> sums);

/// dL/dz from dL/dx. @param embedding, own  z and x of the owned rows
std::vector<double> embedding_gradient(EmbeddingCost cost, std::int64_t dimension, std::span<const double> embedding,
                                       std::vector<double> gradient);

}  // namespace thalweg
