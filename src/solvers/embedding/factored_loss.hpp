// Losses of a coupling between costs of low rank, with gradients of low rank.
#pragma once

#include "solvers/embedding/coupling_engine.hpp"

namespace thalweg {

/// D = V K V^T within one side: V of all cells on every rank, K symmetric.
struct IntraFactor {
  Matrix v, core;
  RowRange rows;  // owned
  Matrix gram;    // V^T V

  std::span<const double> own() const {
    return std::span<const double>(v.values).subspan(static_cast<std::size_t>(rows.begin * v.columns),
                                                     static_cast<std::size_t>(rows.size() * v.columns));
  }
};

/// Of factors, or of squared distances: V = (x, |x|^2, 1) of centred points. Collective.
/// @throws DataError for stored costs, numbers that are not finite, costs that are all 0
IntraFactor intra_factor(const Communicator& comm, const IntraCosts& costs, const std::string& side);

/// One direction of a loss: D_X against D_Y through P, of which P V_Y is all it reads.
class FactoredLoss {
 public:
  FactoredLoss(const IntraFactor& x, const IntraFactor& y, const EmbeddingLossSettings& settings, std::uint64_t seed);

  struct Result {
    double cross = 0.0;  // <D_X P D_Y, P>
    double loss = 0.0;   // frob, rank
    RankStatistics ranks;
    std::vector<double> rows;  // R of G = R V_Y^T, owned rows x rank of D_Y; empty where it was not asked for
  };
  /// Collective. @param applied  P V_Y, owned rows  @param p  P 1 of the owned rows
  Result evaluate(const Communicator& comm, std::span<const double> applied, std::span<const double> p,
                  bool with_gradient) const;

 private:
  /// Rows of dL/dQ = R V_Y^T. @param b  Q V_Y
  Matrix evaluate_frob(const Communicator& comm, const Matrix& b, Result& result) const;
  Matrix evaluate_rank(const Communicator& comm, const Matrix& b, Result& result) const;

  const IntraFactor &x_, &y_;
  EmbeddingLossKind kind_;
  std::vector<std::int64_t> columns_;  // rank: chosen cells of X
  RankRows ranks_;
};

/// Terms (D.^2 w)_i of the owned cells.
std::vector<double> squared_cost_terms(const IntraFactor& factor, std::span<const double> weights);

}  // namespace thalweg
