#include "exact/transport_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

namespace thalweg {
namespace {

constexpr std::int32_t none = -1;

/// A mass plus an infinitesimal multiple: each node but the root supplies one more infinitesimal, which the root
/// takes. No two partial sums are then equal, and the greedy basis is strongly feasible.
struct PerturbedMass {
  std::int64_t units;
  std::int32_t infinitesimals;
  bool operator<(const PerturbedMass& other) const {
    return std::tie(units, infinitesimals) < std::tie(other.units, other.infinitesimals);
  }
  void operator-=(const PerturbedMass& other) {
    units -= other.units;
    infinitesimals -= other.infinitesimals;
  }
};

std::vector<PerturbedMass> perturbed(const std::vector<std::int64_t>& units, std::int32_t infinitesimals) {
  std::vector<PerturbedMass> masses(units.size());
  for (std::size_t k = 0; k < units.size(); ++k) masses[k] = {units[k], infinitesimals};
  return masses;
}

}  // namespace

TransportTree::TransportTree(const IntegerMasses& masses, const Matrix& cost)
    : cost_(cost), num_sources_(static_cast<std::int32_t>(masses.row.size())) {
  const std::size_t num_nodes = masses.row.size() + masses.column.size();
  for (auto* links : {&parent_, &first_child_, &next_, &previous_}) links->assign(num_nodes, none);
  depth_.assign(num_nodes, 0);
  flow_.assign(num_nodes, 0);
  value_.assign(num_nodes, 0.0);
  penalty_.assign(num_nodes, 0.0);
  start_greedily(masses);
  make_root(static_cast<std::int32_t>(num_nodes) - 1);
  for (std::int32_t node = 0; node < static_cast<std::int32_t>(num_nodes); ++node) {
    if (parent_[index(node)] != none) link(node, parent_[index(node)]);
  }
  refresh_subtree(static_cast<std::int32_t>(num_nodes) - 1);
}

void TransportTree::start_greedily(const IntegerMasses& masses) {
  std::vector<PerturbedMass> supply = perturbed(masses.row, 1), demand = perturbed(masses.column, -1);
  demand.back().infinitesimals = static_cast<std::int32_t>(parent_.size()) - 1;
  std::vector<std::int32_t> open(masses.column.size());  // ascending, so that ties go to the lowest index
  std::iota(open.begin(), open.end(), 0);
  for (std::int32_t source = 0; source < num_sources_; ++source) {
    PerturbedMass& left = supply[index(source)];
    while (parent_[index(source)] == none && !open.empty()) {
      const std::int32_t column = cheapest_open_target(source, open);
      PerturbedMass& wanted = demand[index(column)];
      // The one that is used up hangs below the other and closes.
      const bool source_closes = left < wanted || open.size() == 1;
      const std::int32_t target = num_sources_ + column;
      const std::int32_t closing = source_closes ? source : target;
      parent_[index(closing)] = source_closes ? target : source;
      flow_[index(closing)] = source_closes ? left.units : wanted.units;
      if (source_closes) {
        wanted -= left;
      } else {
        left -= wanted;
        open.erase(std::lower_bound(open.begin(), open.end(), column));
      }
    }
  }
}

std::int32_t TransportTree::cheapest_open_target(std::int32_t source, const std::vector<std::int32_t>& open) const {
  const auto row = cost_.row(source);
  std::int32_t best = open.front();
  for (const std::int32_t column : open) {
    if (row[index(column)] < row[index(best)]) best = column;
  }
  return best;
}

void TransportTree::make_root(std::int32_t root) {
  std::int32_t above = none;
  std::int64_t flow_above = 0;
  for (std::int32_t node = root; node != none;) {
    const std::int32_t next = std::exchange(parent_[index(node)], above);
    const std::int64_t next_flow = std::exchange(flow_[index(node)], flow_above);
    above = node;
    flow_above = next_flow;
    node = next;
  }
}

void TransportTree::link(std::int32_t node, std::int32_t parent) {
  const std::int32_t sibling = std::exchange(first_child_[index(parent)], node);
  parent_[index(node)] = parent;
  previous_[index(node)] = none;
  next_[index(node)] = sibling;
  if (sibling != none) previous_[index(sibling)] = node;
}

void TransportTree::unlink(std::int32_t node) {
  const std::int32_t before = previous_[index(node)], after = next_[index(node)];
  (before == none ? first_child_[index(parent_[index(node)])] : next_[index(before)]) = after;
  if (after != none) previous_[index(after)] = before;
}

void TransportTree::exchange(std::int64_t row, std::int64_t column) {
  const auto source = static_cast<std::int32_t>(row);
  const auto target = static_cast<std::int32_t>(column) + num_sources_;
  const Blocking blocking = find_blocking_arc(source, target);
  push_flow(source, target, blocking);
  const std::int32_t top = blocking.on_source_side ? source : target;
  hang_below(top, blocking.on_source_side ? target : source, blocking.flow, blocking.node);
  refresh_subtree(top);
}

// The cycle runs apex -> source -> target -> apex. Among the arcs that block it the last one leaves: on the way up
// from the source the first found (strict comparison), on the way up from the target the last found.
TransportTree::Blocking TransportTree::find_blocking_arc(std::int32_t source, std::int32_t target) const {
  Blocking blocking{none, none, std::numeric_limits<std::int64_t>::max(), true};
  while (source != target) {
    if (depth_[index(source)] >= depth_[index(target)]) {
      if (is_source(source) && flow_[index(source)] < blocking.flow) {
        blocking = {source, none, flow_[index(source)], true};
      }
      source = parent_[index(source)];
    } else {
      if (!is_source(target) && flow_[index(target)] <= blocking.flow) {
        blocking = {target, none, flow_[index(target)], false};
      }
      target = parent_[index(target)];
    }
  }
  blocking.apex = source;
  return blocking;
}

void TransportTree::push_flow(std::int32_t source, std::int32_t target, const Blocking& blocking) {
  if (blocking.flow == 0) return;
  for (std::int32_t node = source; node != blocking.apex; node = parent_[index(node)]) {
    flow_[index(node)] += is_source(node) ? -blocking.flow : blocking.flow;
  }
  for (std::int32_t node = target; node != blocking.apex; node = parent_[index(node)]) {
    flow_[index(node)] += is_source(node) ? blocking.flow : -blocking.flow;
  }
}

// Turns the path node .. last round, so that `node` becomes the top of the part that was below `last`.
void TransportTree::hang_below(std::int32_t node, std::int32_t parent, std::int64_t flow, std::int32_t last) {
  for (;;) {
    const std::int32_t old_parent = parent_[index(node)];
    unlink(node);
    link(node, parent);
    std::swap(flow_[index(node)], flow);
    if (node == last) return;
    parent = node;
    node = old_parent;
  }
}

void TransportTree::refresh(std::int32_t node) {
  const std::int32_t parent = parent_[index(node)];
  if (parent == none) return;
  const double cost = cost_(arc_row(node), arc_column(node));
  const bool forbidden = std::isinf(cost);
  depth_[index(node)] = depth_[index(parent)] + 1;
  value_[index(node)] = (forbidden ? 0.0 : cost) - value_[index(parent)];
  penalty_[index(node)] = (forbidden ? 1.0 : 0.0) - penalty_[index(parent)];
}

void TransportTree::refresh_subtree(std::int32_t top) {
  std::int32_t node = top;
  for (;;) {
    refresh(node);
    if (first_child_[index(node)] != none) {
      node = first_child_[index(node)];
      continue;
    }
    while (node != top && next_[index(node)] == none) node = parent_[index(node)];
    if (node == top) return;
    node = next_[index(node)];
  }
}

}  // namespace thalweg
