#include "io/plots/layered_layout.hpp"

#include <algorithm>
#include <compare>
#include <cstddef>
#include <numeric>

#include "kernels/random.hpp"

namespace thalweg {

namespace {

constexpr int kSweeps = 12;

/// What is to be small: crossings first, then their weight.
struct CrossingCost {
  std::int64_t count = 0;
  double weight = 0.0;
  auto operator<=>(const CrossingCost&) const = default;
};

/// Prefix sums under point updates.
template <typename Value>
class PrefixSums {
 public:
  explicit PrefixSums(std::size_t size) : sums_(size + 1) {}
  void add(std::size_t at, Value value) {
    for (++at; at < sums_.size(); at += at & (~at + 1)) sums_[at] += value;
  }
  /// Sum of the entries 0 .. at.
  Value up_to(std::size_t at) const {
    Value sum{};
    for (++at; at > 0; at -= at & (~at + 1)) sum += sums_[at];
    return sum;
  }

 private:
  std::vector<Value> sums_;
};

/// A link by the positions of its ends.
struct PlacedLink {
  std::size_t source, target;
  double weight;
};

std::vector<int> positions_of(const std::vector<int>& order) {
  std::vector<int> positions(order.size());
  for (std::size_t p = 0; p < order.size(); ++p) positions[static_cast<std::size_t>(order[p])] = static_cast<int>(p);
  return positions;
}

using LinksByLayer = std::vector<std::vector<LayerLink>>;

LinksByLayer links_by_layer(const LayeredGraph& graph) {
  LinksByLayer out(graph.layer_sizes.size());
  for (const auto& link : graph.links) out[static_cast<std::size_t>(link.layer)].push_back(link);
  return out;
}

/// Crossings between one layer and the next: inversions of the targets when links are sorted by source.
CrossingCost layer_cost(const std::vector<LayerLink>& links, const std::vector<int>& left,
                        const std::vector<int>& right) {
  const auto source_at = positions_of(left), target_at = positions_of(right);
  std::vector<PlacedLink> placed;
  for (const auto& link : links) {
    placed.push_back({static_cast<std::size_t>(source_at[static_cast<std::size_t>(link.source)]),
                      static_cast<std::size_t>(target_at[static_cast<std::size_t>(link.target)]), link.weight});
  }
  std::sort(placed.begin(), placed.end(), [](const PlacedLink& a, const PlacedLink& b) {
    return a.source != b.source ? a.source < b.source : a.target < b.target;
  });
  PrefixSums<std::int64_t> counts(right.size());
  PrefixSums<double> weights(right.size());
  CrossingCost cost;
  double weight_before = 0.0;
  for (std::size_t k = 0; k < placed.size(); ++k) {
    cost.count += static_cast<std::int64_t>(k) - counts.up_to(placed[k].target);
    cost.weight += placed[k].weight * (weight_before - weights.up_to(placed[k].target));
    counts.add(placed[k].target, 1);
    weights.add(placed[k].target, placed[k].weight);
    weight_before += placed[k].weight;
  }
  return cost;
}

CrossingCost total_cost(const LinksByLayer& links, const LayerOrders& orders) {
  CrossingCost total;
  for (std::size_t layer = 0; layer + 1 < orders.size(); ++layer) {
    const auto cost = layer_cost(links[layer], orders[layer], orders[layer + 1]);
    total.count += cost.count;
    total.weight += cost.weight;
  }
  return total;
}

/// Sorts one layer by the weighted mean position of its neighbours in the layer before (or after);
/// nodes without neighbours keep their position.
void sort_by_barycentre(const LinksByLayer& links, std::size_t layer, bool from_left, LayerOrders& orders) {
  const auto& between = links[from_left ? layer - 1 : layer];
  const auto neighbour_at = positions_of(orders[from_left ? layer - 1 : layer + 1]);
  std::vector<double> sum(orders[layer].size()), weight(orders[layer].size());
  for (const auto& link : between) {
    const auto node = static_cast<std::size_t>(from_left ? link.target : link.source);
    const auto neighbour = static_cast<std::size_t>(from_left ? link.source : link.target);
    const double w = link.weight + 1e-12;
    sum[node] += w * neighbour_at[neighbour];
    weight[node] += w;
  }
  const double scale = static_cast<double>(neighbour_at.size()) / static_cast<double>(orders[layer].size());
  const auto own_at = positions_of(orders[layer]);
  for (std::size_t node = 0; node < sum.size(); ++node) {
    sum[node] = weight[node] > 0.0 ? sum[node] / weight[node] : scale * own_at[node];
  }
  std::stable_sort(orders[layer].begin(), orders[layer].end(), [&sum](int a, int b) {
    return sum[static_cast<std::size_t>(a)] < sum[static_cast<std::size_t>(b)];
  });
}

/// Neighbour positions and weights of each node of a layer, on one side.
using NeighbourLists = std::vector<std::vector<std::pair<int, double>>>;

NeighbourLists neighbours(const std::vector<LayerLink>& links, const std::vector<int>& other, std::size_t size,
                          bool of_targets) {
  const auto other_at = positions_of(other);
  NeighbourLists lists(size);
  for (const auto& link : links) {
    const auto node = static_cast<std::size_t>(of_targets ? link.target : link.source);
    lists[node].emplace_back(other_at[static_cast<std::size_t>(of_targets ? link.source : link.target)], link.weight);
  }
  return lists;
}

/// Crossings among the links of `upper` and `lower` when upper stands above lower.
CrossingCost pair_cost(const NeighbourLists& lists, std::size_t upper, std::size_t lower) {
  CrossingCost cost;
  for (const auto& [p, w] : lists[upper]) {
    for (const auto& [q, v] : lists[lower]) {
      if (p > q) ++cost.count, cost.weight += w * v;
    }
  }
  return cost;
}

/// Exchanges neighbours within one layer while that lowers the cost; true if any was exchanged.
bool exchange_neighbours(const LinksByLayer& links, std::size_t layer, LayerOrders& orders) {
  auto& order = orders[layer];
  NeighbourLists sides[2];
  if (layer > 0) sides[0] = neighbours(links[layer - 1], orders[layer - 1], order.size(), true);
  if (layer + 1 < orders.size()) sides[1] = neighbours(links[layer], orders[layer + 1], order.size(), false);
  bool changed = false;
  for (std::size_t p = 0; p + 1 < order.size(); ++p) {
    CrossingCost now, swapped;
    const auto a = static_cast<std::size_t>(order[p]), b = static_cast<std::size_t>(order[p + 1]);
    for (const auto& lists : sides) {
      if (lists.empty()) continue;
      const auto x = pair_cost(lists, a, b), y = pair_cost(lists, b, a);
      now = {now.count + x.count, now.weight + x.weight};
      swapped = {swapped.count + y.count, swapped.weight + y.weight};
    }
    if (swapped.count > now.count || (swapped.count == now.count && swapped.weight >= now.weight * (1.0 - 1e-9)))
      continue;
    std::swap(order[p], order[p + 1]);
    changed = true;
  }
  return changed;
}

void exchange_everywhere(const LinksByLayer& links, LayerOrders& orders) {
  for (int pass = 0; pass < kSweeps; ++pass) {
    bool changed = false;
    for (std::size_t layer = 0; layer < orders.size(); ++layer) {
      if (exchange_neighbours(links, layer, orders)) changed = true;
    }
    if (!changed) return;
  }
}

/// A start of its own for each number.
LayerOrders shuffled_order(const LayeredGraph& graph, std::uint64_t number) {
  LayerOrders orders = input_order(graph);
  std::uint64_t draw = 0;
  for (auto& order : orders) {
    for (std::size_t p = order.size(); p > 1; --p) {
      std::swap(order[p - 1], order[RandomStream{number}.bits(draw++) % p]);
    }
  }
  return orders;
}

}  // namespace

LayerOrders input_order(const LayeredGraph& graph) {
  LayerOrders orders;
  for (const int size : graph.layer_sizes) {
    orders.emplace_back(static_cast<std::size_t>(size));
    std::iota(orders.back().begin(), orders.back().end(), 0);
  }
  return orders;
}

std::int64_t count_crossings(const LayeredGraph& graph, const LayerOrders& orders) {
  return total_cost(links_by_layer(graph), orders).count;
}

LayerOrders reduce_crossings(const LayeredGraph& graph) {
  const auto links = links_by_layer(graph);
  LayerOrders best = input_order(graph);
  auto best_cost = total_cost(links, best);
  const auto keep_if_better = [&](LayerOrders candidate) {
    exchange_everywhere(links, candidate);
    if (const auto cost = total_cost(links, candidate); cost < best_cost) best = std::move(candidate), best_cost = cost;
  };
  keep_if_better(best);
  const std::size_t shuffles = graph.links.size() <= 200 ? 24 : graph.links.size() <= 1000 ? 6 : 0;
  for (std::size_t start = 0; start <= shuffles && best_cost.count > 0; ++start) {
    LayerOrders orders = start == 0 ? input_order(graph) : shuffled_order(graph, start);
    for (int sweep = 0; sweep < kSweeps && !orders.empty(); ++sweep) {
      for (std::size_t layer = 1; layer < orders.size(); ++layer) sort_by_barycentre(links, layer, true, orders);
      keep_if_better(orders);
      for (std::size_t layer = orders.size() - 1; layer-- > 0;) sort_by_barycentre(links, layer, false, orders);
      keep_if_better(orders);
    }
  }
  return best;
}

std::vector<double> separated_positions(std::span<const double> desired, std::span<const double> weights,
                                        std::span<const double> gaps, double low, double high) {
  struct Block {
    double mean, weight;
    std::size_t length;
  };
  std::vector<double> offsets(desired.size(), 0.0);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < desired.size(); ++i) {
    if (i > 0) offsets[i] = offsets[i - 1] + gaps[i - 1];
    blocks.push_back({desired[i] - offsets[i], weights[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean >= blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& joined = blocks.back();
      joined.mean = (joined.mean * joined.weight + last.mean * last.weight) / (joined.weight + last.weight);
      joined.weight += last.weight;
      joined.length += last.length;
    }
  }
  std::vector<double> positions;
  for (const auto& block : blocks) {
    for (std::size_t k = 0; k < block.length; ++k) {
      const double slack_end = std::max(low, high - offsets.back());
      positions.push_back(std::clamp(block.mean, low, slack_end) + offsets[positions.size()]);
    }
  }
  return positions;
}

}  // namespace thalweg
