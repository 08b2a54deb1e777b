// The cost between the sides of an alignment.
#pragma once

#include "job/transport_sides.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Features that both sides share, on every rank, in memory of their own; `add_to` views them.
class LinearPart {
 public:
  /// Reads gromov.linear, if it is given. Collective. @throws DataError for missing keys, other features on either side
  LinearPart(const Communicator& comm, const Job& job, const TransportSides& sides);

  /// The linear costs and their weight.
  void add_to(GromovProblem& problem) const;

 private:
  double alpha_ = 1.0;
  Normalise normalise_ = Normalise::product;
  std::optional<SideMatrices> features_;
};

}  // namespace thalweg
