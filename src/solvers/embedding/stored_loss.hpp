// Losses of a stored coupling between stored costs, with their gradients.
#pragma once

#include "core/context.hpp"
#include "solvers/embedding/coupling_engine.hpp"
#include "solvers/embedding/stored_matrix.hpp"

namespace thalweg {

/// sum_ii' D_ii'^2 p_i p_i' near p = w: terms D.^2 w of the owned cells, and their value at w.
class SquaredCosts {
 public:
  SquaredCosts() = default;
  SquaredCosts(const Communicator& comm, std::vector<double> terms, RowRange rows, std::span<const double> weights);
  /// 2 <p, terms> - value: the first order of p - w. Collective. @param p  of the owned cells
  double at(const Communicator& comm, std::span<const double> p) const;

 private:
  std::vector<double> terms_;
  double value_ = 0.0;
};

/// One direction of a loss: D_X against D_Y through P.
template <class Scalar>
class StoredLoss {
 public:
  /// @param context   its seed is that of the columns, its device multiplies
  /// @param settings  kind, delta and rank_columns of the loss
  StoredLoss(const Context& context, const StoredIntraCosts& x, const StoredIntraCosts& y,
             const EmbeddingLossSettings& settings);

  struct Result {
    double cross = 0.0;  // <D_X P D_Y, P>
    double loss = 0.0;   // frob, rank
    RankStatistics ranks;
    StoredMatrix<Scalar> gradient;  // G; empty where it was not asked for
  };
  /// Collective. @param p  P 1 of the owned rows
  Result evaluate(const Communicator& comm, const StoredMatrix<Scalar>& coupling, std::span<const double> p,
                  bool with_gradient) const;

 private:
  using Matrix = StoredMatrix<Scalar>;

  Result evaluate_gw(const Communicator& comm, const Matrix& coupling, bool with_gradient) const;
  /// Loss, and dL/dM of M = Q D_Y Q^T at the chosen columns.
  void compare(const Communicator& comm, const std::vector<double>& m, Matrix& cotangent, Result& result) const;
  Matrix row_gradient(const Communicator& comm, const Matrix& cotangent, const Matrix& b,
                      std::span<const double> p) const;
  double cross(const Communicator& comm, const Matrix& b, const std::vector<double>& m, const Matrix& coupling,
               std::span<const double> p) const;
  Matrix chosen(Matrix a) const;

  StoredIntraCosts x_, y_;
  EmbeddingLossKind kind_;
  Device device_;
  RowRange rows_;
  std::vector<std::int64_t> columns_;  // c chosen cells of X
  RankRows ranks_;
};

/// (D.^2 w)_i of the owned rows.
std::vector<double> squared_cost_terms(const StoredIntraCosts& costs, std::span<const double> weights);

}  // namespace thalweg
