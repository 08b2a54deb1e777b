// Costs between the cells of each side of an alignment.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "core/context.hpp"
#include "job/transport_sides.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Costs of one side in memory of their own; `costs` views it.
class SideCosts {
 public:
  using Stored = std::variant<std::vector<std::uint8_t>, std::vector<float>, std::vector<double>>;

  SideCosts(std::int64_t num_cells, Stored values, double divisor)
      : num_cells_(num_cells), values_(std::move(values)), divisor_(divisor) {}
  /// Squared distances between points, which are kept.
  SideCosts(std::int64_t num_cells, std::int64_t dimension, std::vector<float> points, double divisor)
      : num_cells_(num_cells), dimension_(dimension), values_(std::move(points)), divisor_(divisor) {}

  double divisor() const { return divisor_; }
  IntraCosts costs() const;

 private:
  std::int64_t num_cells_ = 0;
  std::int64_t dimension_ = 0;  // 0: stored costs
  Stored values_;
  double divisor_ = 1.0;
};

/// Rows of length 1 where the job asks for them, then the costs of both sides. Logs graphs and divisors.
/// @param sides   its features are normalised in place
/// @throws DataError for rows without length, k above the number of cells, costs that are all 0. Collective.
struct AlignmentCosts {
  SideCosts source, target;
  std::int64_t geodesic_k = 0;  // 0: no graph
};
AlignmentCosts make_alignment_costs(const Context& context, const Job& job, TransportSides& sides);

/// Neighbours of the graph of a job whose sides have so many cells, the cell itself counted.
std::int64_t geodesic_k_of(const GromovOptions& options, std::int64_t n, std::int64_t m);

/// Whether both sides are squared Euclidean and solved so that their costs are never formed: balanced, with entropy
/// alone.
bool are_squared(const Job& job);

}  // namespace thalweg
