// Exact nearest neighbours of the points of all ranks. No Kokkos.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/context.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// cosine and correlation: 1 - x . y of rows scaled to length 1, for correlation after their own mean is taken off.
enum class Metric { euclidean, cosine, correlation };

/// This rank's rows of a cloud; ranks own contiguous rows in rank order, a rank may own none.
struct OwnedPoints {
  std::int64_t num_points = 0;  // of all ranks
  RowRange rows;
  std::int64_t dimension = 0;
  std::variant<std::span<const float>, std::span<const double>> values;  // owned rows x dimension, row-major
  std::string name = "the points";                                       // what messages call them
};

/// Nearest neighbours of some rows, rows x num_neighbours, row-major: nearer first, ties by smaller index. The point
/// itself is not among them, its duplicates are.
struct NeighbourTable {
  std::int64_t num_points = 0;
  RowRange rows;
  std::int64_t num_neighbours = 0;
  std::vector<std::int32_t> indices;
  std::vector<double> distances;
};

/// The points of all ranks, packed on the device of a rank. Results do not depend on how rows lie on ranks, on the
/// precision of screening or on the device: kernels/nearest_neighbours.hpp.
class NeighbourSearch {
 public:
  virtual ~NeighbourSearch() = default;

  virtual std::int64_t num_points() const = 0;
  virtual RowRange rows() const = 0;
  virtual const std::string& name() const = 0;

  /// The k - 1 nearest neighbours of the owned rows. Local.
  /// @param k   counts the point itself, 2 <= k < n. @throws DataError otherwise
  virtual NeighbourTable nearest(std::int64_t k) const = 0;

  /// The nearest point of another group for each query. Local.
  /// @param queries   indices of points
  /// @param groups    label of each point; there are at least two
  virtual NeighbourTable nearest_of_other_groups(std::span<const std::int32_t> queries,
                                                 std::span<const std::int32_t> groups) const = 0;
};

/// Gathers the points on every rank and packs them. Collective.
/// @throws DataError naming the first row that is not finite, zero (cosine) or constant (correlation); for n < 2
std::unique_ptr<NeighbourSearch> make_neighbour_search(const Context& context, const OwnedPoints& points,
                                                       Metric metric);

/// The rows of all ranks on every rank. Collective.
NeighbourTable gather_rows(const Communicator& comm, const NeighbourTable& owned);

}  // namespace thalweg
