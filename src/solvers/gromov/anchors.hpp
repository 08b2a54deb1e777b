// A few cells of each side that stand for all.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/random.hpp"
#include "solvers/gromov/intra_rows.hpp"

namespace thalweg {

/// Chosen cells, ascending, and the weight of the cells that are nearest to each; on every rank.
struct Anchors {
  std::vector<std::int64_t> cells;
  std::vector<double> weights;
};

/// At most `count` cells by the seeding of k-means++ with C as distance (squared Euclidean: its root): the first by
/// weight, each further one with probability in proportion to weight times squared distance to the nearest before it.
/// A cell that has several nearest anchors goes to one of them at random. Fewer where no others are left. Draws depend
/// on (seed, stream) and cell alone: the same on any number of ranks. Collective.
/// Source: Arthur & Vassilvitskii (2007), k-means++; draws as the least of exponential times (Efraimidis & Spirakis
/// 2006).
Anchors choose_anchors(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights,
                       std::int64_t count, RandomStream random);

/// The first `count` cells, of an order in which each is far from those before; weights as above. Collective.
Anchors leading_anchors(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights,
                        std::int64_t count, RandomStream random);

/// One side of a smaller problem, with its costs between all anchors on every rank.
class AnchorSide {
 public:
  /// Collective.
  AnchorSide(const Communicator& comm, const IntraRows& costs, Anchors anchors);

  const Anchors& anchors() const { return anchors_; }
  /// As for a communicator of one.
  IntraCosts costs() const;
  /// As for all ranks of `comm`: of stored costs the owned rows. Local.
  IntraCosts costs_on(const Communicator& comm) const;

 private:
  Anchors anchors_;
  Matrix values_;  // C between the anchors, or their points
  bool are_points_ = false;
  double divisor_ = 1.0;
};

/// Linear costs between some cells of both sides, on every rank, as for a communicator of one.
class AnchorLinear {
 public:
  /// @param source, target   cells of either side  Collective.
  AnchorLinear(const Communicator& comm, const GromovProblem& problem, const std::vector<std::int64_t>& source,
               const std::vector<std::int64_t>& target);

  /// Absent where the problem has none.
  std::optional<LinearCosts> costs() const;

 private:
  std::optional<Matrix> costs_;            // source cells x target cells
  std::optional<Matrix> source_, target_;  // or features of the cells
};

}  // namespace thalweg
