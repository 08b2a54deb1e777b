// Entries of the costs within one side, whatever form these have.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "kernels/matrix.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Scaled costs C of the rows that a rank owns; views the costs.
class IntraRows {
 public:
  IntraRows(const Communicator& comm, const IntraCosts& costs);

  std::int64_t num_cells() const { return num_cells_; }
  RowRange rows() const { return rows_; }
  /// Whether C are squared distances, else distances.
  bool are_squared() const { return dimension_ > 0 && diagonal_.empty(); }
  /// Whether entries are read, not formed.
  bool are_stored() const { return dimension_ == 0; }
  bool are_factored() const { return !diagonal_.empty(); }

  /// C_ik for all k, i a global row that is owned. Local.
  void row(std::int64_t i, std::span<double> values) const;
  /// C_ik for the owned rows i. Local.
  std::vector<double> column(std::int64_t k) const;
  /// The distinct costs of an owned row, ascending, each with the weight of its cells. Local.
  std::vector<std::pair<double, double>> distribution(std::int64_t i, std::span<const double> weights) const;
  /// C between some cells, on every rank. Collective.
  Matrix between(const Communicator& comm, const std::vector<std::int64_t>& cells) const;
  /// Points of some cells, cells x features, unscaled; only where C are squared distances between points.
  Matrix points_of(const std::vector<std::int64_t>& cells) const;
  /// (C.^2 a)_i of all cells, from moments; only where C are factored.
  std::vector<double> mean_squares(const std::vector<double>& weights) const;
  double divisor() const { return divisor_; }

 private:
  /// C_ik of points or of a factor, unscaled.
  double formed(std::int64_t i, std::int64_t k) const;

  std::int64_t num_cells_ = 0;
  RowRange rows_;
  double divisor_ = 1.0;
  std::int64_t dimension_ = 0;    // 0: stored costs
  std::vector<double> points_;    // num_cells x dimension: points, or rows of a factor
  std::vector<double> diagonal_;  // of the factor; empty: squared distances
  StoredIntraCosts stored_;
};

}  // namespace thalweg
