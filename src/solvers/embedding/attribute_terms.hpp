// Terms of the loss that know more than the costs within the sides: shared features, anchors.
#pragma once

#include "solvers/embedding/coupling_engine.hpp"
#include "solvers/gromov/fused_terms.hpp"

namespace thalweg {

/// <M, P> / s_M of squared distances M between shared features, s_M their mean over pairs; nothing n x m is stored.
class SharedFeatureTerm {
 public:
  SharedFeatureTerm(const Communicator& comm, const EmbeddingProblem& problem);
  /// Collective. @param factor  of the term; its G is added if asked for
  double evaluate(double factor, bool with_gradient, CouplingEngine& engine) const;

 private:
  const Communicator& comm_;
  RowRange rows_, columns_;
  SharedClouds clouds_;
  double mean_ = 1.0;
};

/// A = -mean over anchor pairs of (log(P_ij / p_i) + log(P_ij / q_j)) / 2, and alike of known classes, with the sum of P
/// over the cells of the class in place of P_ij; cells without partners of their class do not count.
class AnchorTerm {
 public:
  /// @throws DataError for cells that are not there, pairs that repeat one, class lists of another length
  AnchorTerm(const Communicator& comm, const EmbeddingProblem& problem);
  double evaluate(const CostPoints& points, const SinkhornSolution& coupling, double factor, bool with_gradient,
                  CouplingEngine& engine) const;

 private:
  double evaluate_pairs(const CostPoints& points, const SinkhornSolution& coupling, double factor, bool with_gradient,
                        CouplingEngine& engine) const;
  double evaluate_classes(double factor, bool with_gradient, CouplingEngine& engine) const;

  const Communicator& comm_;
  RowRange rows_, columns_;
  EmbeddingAnchors anchors_;
  std::int64_t num_classes_ = 0;
  double counted_rows_ = 0.0, counted_columns_ = 0.0;  // cells with partners
};

}  // namespace thalweg
