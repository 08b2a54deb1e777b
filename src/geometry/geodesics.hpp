// Lengths of shortest paths on a graph that every rank holds. No Kokkos.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "geometry/knn_graph.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Distances from this rank's sources to all nodes, sources x num_nodes, row-major, unscaled. Hop counts are bytes
/// where none exceeds 255, else floats; other distances are floats or doubles as `context.precision` says.
struct GeodesicRows {
  std::vector<std::int32_t> sources;
  std::int64_t num_nodes = 0;
  std::variant<std::vector<std::uint8_t>, std::vector<float>, std::vector<double>> values;
  double largest = 0.0;  // finite distance from the sources of all ranks

  double operator()(std::int64_t source, std::int64_t node) const {
    return std::visit(
        [&](const auto& rows) {
          return static_cast<double>(rows[static_cast<std::size_t>(source * num_nodes + node)]);
        },
        values);
  }
};

/// One search a source, a source a thread, no communication meanwhile. Collective.
/// @param sources        of this rank, which may have none
/// @param disconnected   `max`: nodes that no path reaches get `largest`; `infinite`: they stay so
/// @throws DataError for such a node in the other modes
GeodesicRows geodesic_rows(const Context& context, const Graph& graph, std::span<const std::int32_t> sources,
                           Disconnected disconnected);

/// Distances of the owned nodes to some targets, owned x targets; the searches, one a target, are dealt to the ranks.
/// Modes as above. Collective.
/// @param rows      owned nodes: contiguous, in rank order
/// @param targets   the same on all ranks
Matrix distances_to(const Context& context, const Graph& graph, RowRange rows, std::span<const std::int32_t> targets,
                    Disconnected disconnected);

/// Distances between some nodes, on every rank; the searches are dealt to the ranks. Modes as above. Collective.
Matrix distances_between(const Context& context, const Graph& graph, std::span<const std::int32_t> nodes,
                         Disconnected disconnected);

enum class LandmarkChoice { uniform, farthest };

/// The first `count` cells of a random order of 0..num_cells - 1 that depends on (seed, stream) only: those with the
/// least random bits. Without repetition. @param count   at most num_cells
std::vector<std::int32_t> random_cells(std::int64_t num_cells, std::int64_t count, std::uint64_t seed,
                                       std::uint32_t stream);

/// Stream of the random order that landmarks are the first cells of.
inline constexpr std::uint32_t landmark_stream = 71;

/// `first`, at least one, then each time the node that is farthest from those chosen, ties by smaller index, until there
/// are `count`; nodes that no path reaches come first. The same on every rank; local.
std::vector<std::int32_t> farthest_nodes(const Graph& graph, std::vector<std::int32_t> first, std::int64_t count);

/// `uniform`: the first cells of the random order. `farthest`: `farthest_nodes` from its first cell.
/// The same on every rank; local.
std::vector<std::int32_t> choose_landmarks(const Graph& graph, LandmarkChoice choice, std::int64_t count,
                                           std::uint64_t seed);

}  // namespace thalweg
