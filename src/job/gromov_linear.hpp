// The cost between the sides of an alignment.
#pragma once

#include "job/point_pairs.hpp"
#include "job/transport_sides.hpp"
#include "kernels/matrix.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Features that both sides share, on every rank, in memory of their own: those of gromov.linear, or for pairs (a_k, b_k)
/// of gromov.anchors the costs to these, so that M is in the units of E_gw, as though the pairs had all weight:
///
///   M_ij = mean_k (C_X(i, a_k) - C_Y(j, b_k))^2
class LinearPart {
 public:
  /// Reads what is given. Collective.
  /// @throws DataError for missing keys, other features on either side, pairs that are no cells
  LinearPart(const Communicator& comm, const Job& job, const TransportSides& sides);

  /// The linear costs and their weight. The problem views this object until the next call. Collective.
  void add_to(const Communicator& comm, GromovProblem& problem);

 private:
  double alpha_ = 1.0;
  Normalise normalise_ = Normalise::product;
  std::optional<SideMatrices> features_;
  PointPairs anchors_;
  Matrix to_source_anchors_, to_target_anchors_;  // cells x anchors, over the root of their number
};

}  // namespace thalweg
