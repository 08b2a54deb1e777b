#include "solvers/gromov/start_couplings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "exact/transport.hpp"
#include "geometry/row_gram.hpp"
#include "kernels/random.hpp"
#include "solvers/gromov/lower_bounds.hpp"
#include "solvers/hm_ot/clustering.hpp"
#include "solvers/squared_distances.hpp"

namespace thalweg {

namespace {

constexpr std::array<const char*, 8> names = {"product",  "product_direct", "flb",      "tlb",
                                              "signs_++", "signs_+-",       "signs_-+", "signs_--"};
constexpr std::int64_t first_sign = 4;
constexpr std::int64_t most_coordinates = 8;
constexpr std::uint32_t orthogonal_stream = 73;
constexpr std::uint32_t group_stream = 77;
constexpr int group_attempts = 10;
constexpr double smallest_eigenvalue = 1e-9;  // of the largest

/// What the starts know of one side.
struct Side {
  std::vector<double> weights, eccentricity;
  Matrix quantiles, coordinates;
};

/// -1/2 J S J with S the squared distances and J = I - 1 w^T.
Matrix centred_products(Matrix squares, const std::vector<double>& weights) {
  const std::int64_t n = squares.rows;
  std::vector<double> mean(static_cast<std::size_t>(n), 0.0);
  double total = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = 0; k < n; ++k)
      mean[static_cast<std::size_t>(i)] += weights[static_cast<std::size_t>(k)] * squares(i, k);
    total += weights[static_cast<std::size_t>(i)] * mean[static_cast<std::size_t>(i)];
  }
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < n; ++k)
      squares(i, k) =
          -0.5 * (squares(i, k) - mean[static_cast<std::size_t>(i)] - mean[static_cast<std::size_t>(k)] + total);
  return squares;
}

/// Leading weighted principal coordinates, n x at most 8, of variances that fall: z_k = B W^(1/2) u_k / lambda_k^(1/2)
/// with u_k, lambda_k of W^(1/2) B W^(1/2).
Matrix principal_coordinates(const Matrix& squares, const std::vector<double>& weights) {
  const std::int64_t n = squares.rows;
  const Matrix products = centred_products(squares, weights);
  Matrix weighted = products;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < n; ++k)
      weighted(i, k) *= std::sqrt(weights[static_cast<std::size_t>(i)] * weights[static_cast<std::size_t>(k)]);
  const Eigensystem system = eigensystem_of(weighted);
  const double cut = smallest_eigenvalue * std::max(system.values.back(), 0.0);
  Matrix coordinates(n, std::min(n, most_coordinates));
  for (std::int64_t axis = 0; axis < coordinates.columns; ++axis) {
    const double value = system.values[static_cast<std::size_t>(n - 1 - axis)];
    if (value <= cut) continue;
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < n; ++k)
        sum += products(i, k) * std::sqrt(weights[static_cast<std::size_t>(k)]) * system.vectors(k, n - 1 - axis);
      coordinates(i, axis) = sum / std::sqrt(value);
    }
  }
  return coordinates;
}

Side side_of(const Communicator& comm, const IntraCosts& costs, const std::vector<double>& weights) {
  const IntraRows rows(comm, costs);
  Side side{weights, eccentricities(comm, rows, weights), quantile_means(comm, rows, weights), {}};
  std::vector<std::int64_t> all(weights.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  Matrix squares = rows.between(comm, all);
  if (!rows.are_squared())
    for (double& value : squares.values) value *= value;
  side.coordinates = principal_coordinates(squares, weights);
  return side;
}

/// Rows orthonormalised in order.
Matrix random_orthogonal(std::int64_t size, std::int64_t start, std::uint64_t seed) {
  const RandomStream random{seed, orthogonal_stream};
  Matrix q(size, size);
  for (std::int64_t k = 0; k < size; ++k) {
    const auto row = q.row(k);
    for (std::int64_t l = 0; l < size; ++l)
      row[static_cast<std::size_t>(l)] =
          random.normal(static_cast<std::uint64_t>(start), static_cast<std::uint32_t>(k * size + l));
    for (int round = 0; round < 2; ++round)
      for (std::int64_t before = 0; before < k; ++before) {
        const auto other = q.row(before);
        const double along = std::inner_product(row.begin(), row.end(), other.begin(), 0.0);
        for (std::size_t l = 0; l < row.size(); ++l) row[l] -= along * other[l];
      }
    const double length = std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
    for (double& value : row) value /= length;
  }
  return q;
}

/// S of the coordinates, k x k.
Matrix orthogonal_of(std::int64_t start, std::int64_t available, std::uint64_t seed) {
  if (start >= static_cast<std::int64_t>(names.size())) return random_orthogonal(available, start, seed);
  Matrix signs(std::min<std::int64_t>(2, available), std::min<std::int64_t>(2, available));
  const std::int64_t pattern = start - first_sign;
  for (std::int64_t axis = 0; axis < signs.rows; ++axis)
    signs(axis, axis) = (pattern >> (1 - axis) & 1) != 0 ? -1.0 : 1.0;
  return signs;
}

/// -z_x^T S z_y
Matrix costs_of_coordinates(const Matrix& x, const Matrix& y, const Matrix& s) {
  Matrix costs(x.rows, y.rows), turned(x.rows, s.columns);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t k = 0; k < s.rows; ++k)
      for (std::int64_t l = 0; l < s.columns; ++l) turned(i, l) += x(i, k) * s(k, l);
  for (std::int64_t i = 0; i < x.rows; ++i)
    for (std::int64_t j = 0; j < y.rows; ++j)
      for (std::int64_t l = 0; l < s.columns; ++l) costs(i, j) -= turned(i, l) * y(j, l);
  return costs;
}

/// Both groups of a pair, from 0: (0, 1), (0, 2), (1, 2), (0, 3) and so on.
std::pair<std::int32_t, std::int32_t> groups_of_pair(std::int64_t pair) {
  std::int32_t second = 1;
  while (num_pairs(second + 1) <= pair) ++second;
  return {static_cast<std::int32_t>(pair - num_pairs(second)), second};
}

/// Mean row of a group, of weight 1; empty where it has no weight.
std::vector<double> mean_row(const Matrix& coupling, const std::vector<std::int32_t>& groups, std::int32_t group) {
  std::vector<double> mean(static_cast<std::size_t>(coupling.columns), 0.0);
  for (std::int64_t i = 0; i < coupling.rows; ++i) {
    if (groups[static_cast<std::size_t>(i)] != group) continue;
    const auto row = coupling.row(i);
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += row[j];
  }
  const double mass = std::accumulate(mean.begin(), mean.end(), 0.0);
  if (!(mass > 0.0)) return {};
  for (double& value : mean) value /= mass;
  return mean;
}

}  // namespace

struct StartCouplings::Sides {
  Side source, target;
};

std::string start_name(std::int64_t start) {
  if (start < static_cast<std::int64_t>(names.size())) return names[static_cast<std::size_t>(start)];
  if (start >= first_exchange) {
    const auto [first, second] = groups_of_pair(start - first_exchange);
    return "exchange_" + std::to_string(first + 1) + "_" + std::to_string(second + 1);
  }
  return "random_" + std::to_string(start + 1);
}

StartCouplings::StartCouplings(const Communicator& comm, const GromovProblem& problem, std::uint64_t seed)
    : sides_(std::make_unique<Sides>(
          Sides{side_of(comm, problem.source, problem.a), side_of(comm, problem.target, problem.b)})),
      seed_(seed) {}

StartCouplings::~StartCouplings() = default;

StartCoupling StartCouplings::make(std::int64_t start) const {
  const Side &x = sides_->source, &y = sides_->target;
  StartCoupling result{start_name(start), start != 1, false, {}};
  if (start < 2) return result;
  if (result.name == "flb") result.mass = monotone_coupling(x.eccentricity, y.eccentricity, x.weights, y.weights);
  else if (result.name == "tlb")
    result.mass = solve_transport(x.weights, y.weights, squared_distances(x.quantiles, y.quantiles)).coupling;
  else {
    const Matrix s = orthogonal_of(start, std::min(x.coordinates.columns, y.coordinates.columns), seed_);
    result.mass = solve_transport(x.weights, y.weights, costs_of_coordinates(x.coordinates, y.coordinates, s)).coupling;
  }
  return result;
}

std::vector<std::int32_t> StartCouplings::groups(std::int64_t count) const {
  return cluster_rows(sides_->source.coordinates, {}, count, squared_distance_form, {seed_, group_stream}, group_attempts).labels;
}

StartCoupling StartCouplings::exchange(std::int64_t pair, const std::vector<std::int32_t>& groups,
                                       const Matrix& coupling) const {
  const auto [first, second] = groups_of_pair(pair);
  const std::vector<double> of_first = mean_row(coupling, groups, first), of_second = mean_row(coupling, groups, second);
  StartCoupling result{start_name(first_exchange + pair), true, /*is_exchange=*/true, coupling};
  if (of_first.empty() || of_second.empty()) return result;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] != first && groups[i] != second) continue;
    const std::vector<double>& partners = groups[i] == first ? of_second : of_first;
    const auto row = result.mass->row(static_cast<std::int64_t>(i));
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = sides_->source.weights[i] * partners[j];
  }
  return result;
}

}  // namespace thalweg
