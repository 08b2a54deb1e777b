#include "job/intra_factors.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "geometry/landmark_factor.hpp"
#include "geometry/pair_geometry.hpp"
#include "geometry/symmetric_factor.hpp"
#include "job/given_costs.hpp"
#include "job/side_graph.hpp"

namespace thalweg {

namespace {

constexpr double doubtful_error = 0.15, poor_error = 0.3;
constexpr double symmetry = 1e-6;  // of the longest row

/// A factor of all cells, rows of V on every rank.
struct WholeFactor {
  std::int64_t rank = 0;
  std::vector<double> v, diagonal;
};

WholeFactor gathered(const Communicator& comm, const Matrix& v, std::vector<double> diagonal) {
  return {v.columns, comm.all_gather(std::span<const double>(v.values)), std::move(diagonal)};
}

/// (V^T a)^T D (V^T a)
double mean_cost(const WholeFactor& factor, const std::vector<double>& weights) {
  const auto r = static_cast<std::size_t>(factor.rank);
  std::vector<double> mean(r, 0.0);
  for (std::size_t i = 0; i < weights.size(); ++i)
    for (std::size_t k = 0; k < r; ++k) mean[k] += weights[i] * factor.v[i * r + k];
  double sum = 0.0;
  for (std::size_t k = 0; k < r; ++k) sum += factor.diagonal[k] * mean[k] * mean[k];
  return sum;
}

/// By one pass over all pairs.
double largest_cost(const Context& context, const CellSide& side, const WholeFactor& factor) {
  const auto r = static_cast<std::size_t>(factor.rank);
  std::vector<double> u = factor.v;
  for (std::size_t at = 0; at < u.size(); ++at) u[at] *= factor.diagonal[at % r];
  PairSides pair;
  pair.cost = Cost::factored;
  pair.source = {side.num_cells, factor.rank, std::span<const double>(u)};
  pair.target = {side.num_cells, factor.rank, std::span<const double>(factor.v)};
  pair.source_weights = pair.target_weights = side.weights;
  return make_pair_geometry(context, pair)->cost_statistic(CostStatistic::max);
}

/// Warns of a factor that is far off, or refuses it.
void check_error(const GromovOptions& options, const CellSide& side, const LandmarkFactor& factor) {
  const std::string of = "the factor of the " + side.name + " geodesics (rank " + std::to_string(factor.v.columns) +
                         ", " + std::to_string(factor.landmarks.size()) + " landmarks)";
  if (factor.num_checked == 0) {
    log_info(of + ": no cells are left to measure its error on");
    return;
  }
  log_info(of + ": relative error " + rounded_number(factor.error, 3) + " +- " +
           rounded_number(factor.error_deviation, 2) + " on the rows of " + std::to_string(factor.num_checked) +
           " cells");
  if (factor.error <= doubtful_error) return;
  const std::string what = of + " has the relative error " + rounded_number(factor.error, 3);
  const std::string cure = "raise gromov.landmarks or gromov.factor_rank, or use gromov.storage = \"dense\"";
  if (factor.error > poor_error && !options.allow_poor_factor)
    throw DataError(what + "; at most 0.3 is accepted; " + cure + ", or set gromov.allow_poor_factor = true");
  log_warning("poor_factor", what + "; " + cure);
}

SideCosts geodesic_factor(const Context& context, const GromovOptions& options, const CellSide& side, std::int64_t k) {
  KnnGraph graph = graph_of_side(context, options, side, k);
  const LandmarkFactor factor =
      landmark_factor(context, graph.graph,
                      {options.landmarks, options.factor_rank, LandmarkChoice::uniform, disconnected_of(options)});
  check_error(options, side, factor);
  WholeFactor whole = gathered(context.comm, factor.v, factor.eigenvalues);
  double divisor = 1.0;
  if (options.scale == "mean") divisor = mean_cost(whole, side.weights);
  else if (options.scale != "none") divisor = factor.largest;
  check_divisor(side, "geodesic", divisor);
  SideCosts costs(side.num_cells, std::move(whole.v), std::move(whole.diagonal), divisor);
  costs.set_bridges(std::move(graph.bridges));
  costs.set_geodesic_factor({std::move(graph.graph), disconnected_of(options), factor.error, factor.error_deviation});
  return costs;
}

Matrix as_matrix(const SideRows& rows) {
  Matrix matrix(rows.num_columns == 0 ? 0 : static_cast<std::int64_t>(rows.values.size()) / rows.num_columns,
                rows.num_columns);
  std::copy(rows.values.begin(), rows.values.end(), matrix.values.begin());
  return matrix;
}

/// U and V of U V^T, owned rows.
struct Factors {
  Matrix u, v;
};

Factors given_factors(const Communicator& comm, const Job& job, const IntraCostOptions& own,
                      const TransportSides& sides, const CellSide& side) {
  const std::string setting = side_key(sides, side) + ".factors";
  const auto matrix = [&](const std::string& key) {
    return as_matrix(read_side_rows(comm, job, sides, side, key, setting));
  };
  Factors factors{matrix(own.factors.front()), {}};
  factors.v = own.factors.size() > 1 ? matrix(own.factors.back()) : factors.u;
  if (factors.u.columns != factors.v.columns)
    throw DataError(setting + ": " + own.factors.front() + " has " + std::to_string(factors.u.columns) + " columns, " +
                    own.factors.back() + " has " + std::to_string(factors.v.columns) +
                    "; the costs U V^T need equally many");
  const std::int64_t row =
      first_asymmetric_row(comm, factors.u, factors.v, owned_rows(comm, side).begin, side.num_cells, symmetry);
  const auto file_rows = comm.all_gather(std::span<const std::int64_t>(sides.slice_of(side).source_rows));
  if (row >= 0)
    throw DataError(setting + ": U V^T of " + sides.file_of(side).path + " is not symmetric, first in row " +
                    std::to_string(file_rows[static_cast<std::size_t>(row)]) +
                    "; rows and columns differ by at most 1e-6 of the longest row; correct " + own.factors.front() +
                    " and " + own.factors.back());
  return factors;
}

/// [s, 1, -2 x] and [1, s, x], x centred and s = |x|^2
Factors squared_factors(const Communicator& comm, const CellSide& side) {
  const auto n = static_cast<std::size_t>(side.num_cells), d = static_cast<std::size_t>(side.num_features);
  std::vector<double> mean(d, 0.0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < d; ++k) mean[k] += side.weights[i] * static_cast<double>(side.features[i * d + k]);
  const RowRange rows = owned_rows(comm, side);
  Factors factors{Matrix(rows.size(), side.num_features + 2), Matrix(rows.size(), side.num_features + 2)};
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const auto u = factors.u.row(i), v = factors.v.row(i);
    double square = 0.0;
    for (std::size_t k = 0; k < d; ++k) {
      const double x = static_cast<double>(side.features[static_cast<std::size_t>(rows.begin + i) * d + k]) - mean[k];
      square += x * x;
      u[k + 2] = -2.0 * x;
      v[k + 2] = x;
    }
    u[0] = v[1] = square;
    u[1] = v[0] = 1.0;
  }
  return factors;
}

SideCosts exact_factor(const Context& context, const GromovOptions& options, const std::string& cost,
                       const CellSide& side, const Factors& factors) {
  const SymmetricFactor factor = symmetric_factor(context.comm, factors.u, factors.v, side.num_cells);
  WholeFactor whole = gathered(context.comm, factor.v, factor.diagonal);
  double divisor = 1.0;
  if (options.scale == "mean") divisor = mean_cost(whole, side.weights);
  else if (options.scale != "none") divisor = largest_cost(context, side, whole);
  check_divisor(side, cost, divisor);
  return {side.num_cells, std::move(whole.v), std::move(whole.diagonal), divisor};
}

}  // namespace

SideCosts factored_costs(const Context& context, const Job& job, const IntraCostOptions& own,
                         const TransportSides& sides, const CellSide& side, std::int64_t k) {
  if (own.cost == "geodesic") return geodesic_factor(context, job.gromov, side, k);
  const Factors factors =
      own.cost == "factored" ? given_factors(context.comm, job, own, sides, side) : squared_factors(context.comm, side);
  return exact_factor(context, job.gromov, own.cost, side, factors);
}

std::int64_t most_factor_columns(const GromovOptions& options, const IntraCostOptions& own, std::int64_t num_cells,
                                 std::int64_t num_features, std::int64_t columns) {
  if (own.cost == "geodesic") return std::min({options.factor_rank, options.landmarks, num_cells});
  return own.cost == "factored" ? columns : num_features + 2;
}

}  // namespace thalweg
