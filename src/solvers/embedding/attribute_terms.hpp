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

/// A of a coupling; H = P o dA/dP as the sums that are wanted of it.
struct AnchorValue {
  double value = 0.0;
  std::vector<double> u, v;  // H 1 of the owned rows, H^T 1 of all columns
  PointSums sums;            // -H / epsilon times the points of the other side
};

/// A = -mean over anchor pairs of (log(P_ij / p_i) + log(P_ij / q_j)) / 2, and alike of known classes, with the sum of
/// P over the cells of the class in place of P_ij; cells without partners of their class do not count. From logarithms
/// of P, so that P itself may vanish; O(pairs of one class) work, O(cells) memory.
class AnchorTerm {
 public:
  /// @throws DataError for cells that are not there, pairs that repeat one, class lists of another length
  AnchorTerm(const Communicator& comm, const EmbeddingProblem& problem);
  /// Collective. @param engine  of the coupling
  AnchorValue evaluate(const CostPoints& points, const SinkhornSolution& coupling, const CouplingEngine& engine) const;

 private:
  using Members = std::vector<std::vector<std::int64_t>>;  // cells of each class
  struct Sums;
  /// Cells of one side, those of the other, and the points of these.
  struct Side {
    const Members &own, &other;
    RowRange rows;
    const std::vector<double>& partners;
  };

  template <class Log>
  static std::vector<double> class_logs(const Members& own, const Members& other, std::size_t num_cells,
                                        const Log& log_coupling);
  template <class Product>
  static void add_side(const Sums& of, const Side& side, const Product& product, std::vector<double>& moments,
                       std::vector<double>& sums);
  double add_pairs(const Sums& sums, AnchorValue& result) const;
  double add_classes(const Sums& sums, AnchorValue& result) const;

  const Communicator& comm_;
  RowRange rows_, columns_;
  EmbeddingAnchors anchors_;
  Members source_members_, target_members_;  // of classes with cells on both sides
};

}  // namespace thalweg
