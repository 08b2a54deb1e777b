// The spanning tree of the transport simplex: flows, potentials and the exchange of one arc.
#pragma once

#include <cstdint>
#include <vector>

#include "exact/integer_masses.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// A basis of the transport problem between R sources (nodes 0..R-1) and C targets (nodes R..R+C-1).
///
/// Every arc runs from a source to a target. An arc of infinite cost is forbidden: it may sit in the basis, where it
/// counts one unit of penalty, which outweighs any cost (potentials are pairs (penalty, value)).
/// The tree is kept strongly feasible: arcs without flow point to the root, so that no sequence of degenerate
/// exchanges can return to an earlier tree.
/// Source: Cunningham (1976); Ahuja, Magnanti & Orlin (1993), Network Flows, sections 11.5 and 11.6.
class TransportTree {
 public:
  /// First basis: source by source, the cheapest open target takes what it can.
  /// @param masses  positive on both sides, equal sums
  /// @param cost    R x C, outlives the tree
  TransportTree(const IntegerMasses& masses, const Matrix& cost);

  /// Brings the arc (row, column) into the basis and drops the arc that blocks its cycle.
  void exchange(std::int64_t row, std::int64_t column);

  std::int32_t num_sources() const { return num_sources_; }
  std::int32_t num_nodes() const { return static_cast<std::int32_t>(parent_.size()); }
  /// Potential of every node; value(source) + value(target) = cost along basis arcs.
  const std::vector<double>& value() const { return value_; }
  /// The same for the penalty: 1 along forbidden basis arcs, 0 along the others.
  const std::vector<double>& penalty() const { return penalty_; }

  /// Calls visit(row, column, flow) for every basis arc.
  template <class Visit>
  void for_each_arc(Visit visit) const {
    for (std::int32_t node = 0; node < num_nodes(); ++node) {
      if (parent_[index(node)] >= 0) visit(arc_row(node), arc_column(node), flow_[index(node)]);
    }
  }

 private:
  struct Blocking {
    std::int32_t node;  // lower end of the arc that leaves
    std::int32_t apex;  // where the two halves of the cycle meet
    std::int64_t flow;  // what the entering arc receives
    bool on_source_side;
  };

  static std::size_t index(std::int32_t node) { return static_cast<std::size_t>(node); }
  bool is_source(std::int32_t node) const { return node < num_sources_; }
  std::int64_t arc_row(std::int32_t node) const { return is_source(node) ? node : parent_[index(node)]; }
  std::int64_t arc_column(std::int32_t node) const {
    return (is_source(node) ? parent_[index(node)] : node) - num_sources_;
  }

  void start_greedily(const IntegerMasses& masses);
  std::int32_t cheapest_open_target(std::int32_t source, const std::vector<std::int32_t>& open) const;
  void make_root(std::int32_t root);
  void link(std::int32_t node, std::int32_t parent);
  void unlink(std::int32_t node);
  Blocking find_blocking_arc(std::int32_t source, std::int32_t target) const;
  void push_flow(std::int32_t source, std::int32_t target, const Blocking& blocking);
  void hang_below(std::int32_t node, std::int32_t parent, std::int64_t flow, std::int32_t last);
  void refresh(std::int32_t node);
  void refresh_subtree(std::int32_t top);

  const Matrix& cost_;
  std::int32_t num_sources_;
  std::vector<std::int32_t> parent_, depth_, first_child_, next_, previous_;
  std::vector<std::int64_t> flow_;  // of the arc between a node and its parent
  std::vector<double> value_, penalty_;
};

}  // namespace thalweg
