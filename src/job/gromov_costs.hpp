// Costs between the cells of each side of an alignment.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/context.hpp"
#include "geometry/knn_graph.hpp"
#include "job/transport_sides.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// A factor that stands for geodesics: how far off it is, and the graph that exact ones come from.
struct GeodesicFactor {
  Graph graph;
  Disconnected disconnected = Disconnected::bridge;
  double error = 0.0, error_deviation = 0.0;  // relative, of the rows of cells that did not make it; NaN without any
};

/// Costs of one side in memory of their own; `costs` views it.
class SideCosts {
 public:
  using Stored = std::variant<std::vector<std::uint8_t>, std::vector<float>, std::vector<double>>;

  SideCosts(std::int64_t num_cells, Stored values, double divisor)
      : num_cells_(num_cells), values_(std::move(values)), divisor_(divisor) {}
  /// Squared distances between points, which are kept.
  SideCosts(std::int64_t num_cells, std::int64_t dimension, std::vector<float> points, double divisor)
      : num_cells_(num_cells), dimension_(dimension), values_(std::move(points)), divisor_(divisor) {}

  /// V diag(diagonal) V^T, all rows of V.
  SideCosts(std::int64_t num_cells, std::vector<double> factor, std::vector<double> diagonal, double divisor)
      : num_cells_(num_cells), values_(std::move(factor)), diagonal_(std::move(diagonal)), divisor_(divisor) {}

  std::int64_t num_cells() const { return num_cells_; }
  double divisor() const { return divisor_; }
  IntraCosts costs() const;

  /// Columns of the factor; 0: the costs are no factor.
  std::int64_t rank() const { return static_cast<std::int64_t>(diagonal_.size()); }
  /// Of geodesics as a factor; else absent.
  const std::optional<GeodesicFactor>& geodesic_factor() const { return geodesic_factor_; }
  void set_geodesic_factor(GeodesicFactor factor) { geodesic_factor_ = std::move(factor); }
  /// Edges that joined the parts of the graph.
  const std::vector<Edge>& bridges() const { return bridges_; }
  void set_bridges(std::vector<Edge> bridges) { bridges_ = std::move(bridges); }

 private:
  std::int64_t num_cells_ = 0;
  std::int64_t dimension_ = 0;  // 0: stored costs
  Stored values_;
  std::vector<double> diagonal_;  // of a factor
  double divisor_ = 1.0;
  std::optional<GeodesicFactor> geodesic_factor_;
  std::vector<Edge> bridges_;
};

/// Scales the rows of the features to length 1. @throws DataError naming the first row of length 0
void normalise_rows(CellSide& side);

/// Logs the divisor. @throws DataError unless it is positive
void check_divisor(const CellSide& side, const std::string& cost, double divisor);

/// Rows of length 1 where the job asks for them, then the costs of both sides. Logs graphs and divisors. Collective.
/// @param sides      its features are normalised in place
/// @param low_rank   costs that are not squared distances on both sides are factors; else they are stored
/// @throws DataError for rows without length, k above the number of cells, costs that are all 0, matrices of the file
/// that are no costs
struct AlignmentCosts {
  SideCosts source, target;
  std::int64_t geodesic_k = 0;  // 0: no graph
};
AlignmentCosts make_alignment_costs(const Context& context, const Job& job, TransportSides& sides, bool low_rank);

/// The same of sides whose rows are normalised already, for another number of neighbours. Collective.
AlignmentCosts alignment_costs_with(const Context& context, const Job& job, const TransportSides& sides,
                                    std::int64_t geodesic_k, bool low_rank);

/// Neighbours of the graph of a job whose sides have so many cells, the cell itself counted.
std::int64_t geodesic_k_of(const GromovOptions& options, std::int64_t n, std::int64_t m);

/// Whether both sides are squared Euclidean and solved so that their costs are never formed: balanced, with entropy
/// alone.
bool are_squared(const Job& job);

/// Whether the costs of both sides can be factors (other modes, regularisations and algorithms store them), and whether they are that without loss.
bool may_be_factors(const Job& job);
bool are_factors(const Job& job);

}  // namespace thalweg
