#include "geometry/graph_search.hpp"

#include <algorithm>
#include <limits>

namespace thalweg {

namespace {

constexpr double unreached = std::numeric_limits<double>::infinity();
constexpr std::size_t children = 4;

/// The order of equal distances does not matter: the shortest paths are the same.
bool is_nearer(const std::pair<double, std::int32_t>& a, const std::pair<double, std::int32_t>& b) {
  return a.first < b.first;
}

}  // namespace

GraphSearch::GraphSearch(const Graph& graph) : graph_(graph), distances_(static_cast<std::size_t>(graph.num_nodes)) {
  if (graph.edge_weight() == EdgeWeight::hops) queue_.resize(distances_.size());
}

std::span<const double> GraphSearch::from(std::int32_t source) {
  std::fill(distances_.begin(), distances_.end(), unreached);
  distances_[static_cast<std::size_t>(source)] = 0.0;
  if (graph_.edge_weight() == EdgeWeight::hops) breadth_first(source);
  else dijkstra(source);
  return distances_;
}

void GraphSearch::breadth_first(std::int32_t source) {
  std::size_t last = 0;
  queue_[last++] = source;
  for (std::size_t first = 0; first < last; ++first) {
    const double next = distances_[static_cast<std::size_t>(queue_[first])] + 1.0;
    for (const std::int32_t node : graph_.neighbours_of(queue_[first])) {
      if (distances_[static_cast<std::size_t>(node)] != unreached) continue;
      distances_[static_cast<std::size_t>(node)] = next;
      queue_[last++] = node;
    }
  }
}

void GraphSearch::dijkstra(std::int32_t source) {
  heap_.clear();
  push({0.0, source});
  while (!heap_.empty()) {
    const auto [distance, node] = pop();
    if (distance > distances_[static_cast<std::size_t>(node)]) continue;  // a shorter path came later
    const auto begin = static_cast<std::size_t>(graph_.offsets[static_cast<std::size_t>(node)]);
    const auto end = static_cast<std::size_t>(graph_.offsets[static_cast<std::size_t>(node) + 1]);
    for (std::size_t at = begin; at < end; ++at) {
      const double next = distance + graph_.weights[at];
      double& known = distances_[static_cast<std::size_t>(graph_.columns[at])];
      if (next >= known) continue;
      known = next;
      push({next, graph_.columns[at]});
    }
  }
}

void GraphSearch::push(Entry entry) {
  heap_.push_back(entry);
  std::size_t place = heap_.size() - 1;
  for (; place > 0 && is_nearer(entry, heap_[(place - 1) / children]); place = (place - 1) / children)
    heap_[place] = heap_[(place - 1) / children];
  heap_[place] = entry;
}

GraphSearch::Entry GraphSearch::pop() {
  const Entry top = heap_.front(), moved = heap_.back();
  heap_.pop_back();
  const std::size_t size = heap_.size();
  std::size_t place = 0;
  for (std::size_t child = 1; child < size; child = children * place + 1) {
    const auto first = heap_.begin() + static_cast<std::ptrdiff_t>(child);
    const auto least = std::min_element(
        first, heap_.begin() + static_cast<std::ptrdiff_t>(std::min(child + children, size)), is_nearer);
    if (!is_nearer(*least, moved)) break;
    heap_[place] = *least;
    place = static_cast<std::size_t>(least - heap_.begin());
  }
  if (size > 0) heap_[place] = moved;
  return top;
}

}  // namespace thalweg
