// A coupling of some points extended to others of both sides, without another solve.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "distributed/partition.hpp"
#include "kernels/matrix.hpp"
#include "solvers/gromov/fused_terms.hpp"

namespace thalweg {

/// One side of a solved problem among more points.
struct ExtendedSide {
  std::vector<double> solved_weights;  // of the points that were solved
  std::vector<double> potential;       // f or g of these
  Matrix distances;                    // all points x solved points, scaled as in the problem
  std::vector<double> weights;         // of all points, of sum 1
};

/// Linear cost of one source point to all target points; 0 for source points without.
struct LinearRow {
  std::int64_t source = 0;
  std::vector<double> costs;
};

/// What the partners of some points on the other side say of them, row by row; on the rank that asked.
struct Partners {
  std::vector<std::int64_t> match;  // of most mass; ties: the first
  std::vector<double> confidence;   // its share
  std::vector<double> entropy;      // -sum p log p over the partners
  Matrix means;                     // of the partners' values
  std::vector<std::int64_t> top;    // points x num_top partners of most mass, the most first
  std::vector<double> top_shares;
};

/// With P of some points of both sides, D the distances from all points to these, k and l the factors of both parts of
/// E,
///
///   K(x, y) = 2 k [sum_i p_i D_X(x, i)^2 + sum_j q_j D_Y(y, j)^2 - 2 (D_X P D_Y^T)(x, y)] + l M(x, y)
///   f_x = -epsilon log sum_j b_j exp((g_j - K(x, j)) / epsilon) over the solved j, and g_y likewise
///   P(y | x) ~ b_y exp((g_y - K(x, y)) / epsilon) over all y
///
/// At solved points these are the solution itself. All of it lies on every rank; nothing points x points is stored.
class CouplingExtension {
 public:
  /// @param source, target   must outlive this object
  /// @param coupling         P of the solved points, sources x targets
  CouplingExtension(const ExtendedSide& source, const ExtendedSide& target, Matrix coupling, FusedFactors factors,
                    double epsilon);

  /// Costs of some source points beside those of the quadratic part. Before `extend`.
  void set_linear(std::vector<LinearRow> rows) { linear_ = std::move(rows); }

  /// Potentials of all points, from those of the solved ones.
  /// @param solved_sources, solved_targets   which of all points these are
  void extend(std::span<const std::int32_t> solved_sources, std::span<const std::int32_t> solved_targets);

  /// Partners among all targets of some sources, and the converse.
  /// @param values   of all points of the other side
  Partners partners_of_sources(RowRange rows, const Matrix& values, std::int64_t num_top) const;
  Partners partners_of_targets(RowRange rows, const Matrix& values, std::int64_t num_top) const;

 private:
  /// The quadratic part seen from one side: its cost is rows + columns - 4 k D (P D'^T).
  struct View {
    const ExtendedSide* own;
    const ExtendedSide* other;
    Matrix product;  // P D'^T, solved points of this side x all points of the other
    const std::vector<double>* own_terms;
    const std::vector<double>* other_terms;
    bool is_source;
  };

  std::vector<double> cost_rows(const View& view, RowRange rows) const;
  void add_linear(const View& view, RowRange rows, std::vector<double>& costs) const;
  std::vector<double> potentials(const View& view, std::span<const std::int32_t> solved) const;
  Partners partners(const View& view, const std::vector<double>& potential, RowRange rows, const Matrix& values,
                    std::int64_t num_top) const;

  const ExtendedSide& source_;
  const ExtendedSide& target_;
  FusedFactors factors_;
  double epsilon_;
  std::vector<double> source_terms_, target_terms_;  // 2 k sum_i p_i D(x, i)^2
  View from_source_, from_target_;
  std::vector<LinearRow> linear_;
  std::vector<double> f_, g_;  // of all points
};

}  // namespace thalweg
