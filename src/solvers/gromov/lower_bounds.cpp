#include "solvers/gromov/lower_bounds.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "exact/transport.hpp"
#include "kernels/block_rows.hpp"
#include "solvers/squared_distances.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

constexpr std::int64_t most_exact_pairs = 512 * 512;
constexpr std::int64_t most_formed_cells = 4096;
constexpr double share_of_mean_cost = 0.01;  // epsilon of the potentials
constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<std::size_t> ascending(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t k, std::size_t l) { return values[k] < values[l]; });
  return order;
}

/// Calls use(i, j, mass) for the pairs of the coupling in ascending order.
template <class Use>
void for_monotone_pairs(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& a,
                        const std::vector<double>& b, const Use& use) {
  const std::vector<std::size_t> rows = ascending(x), columns = ascending(y);
  std::size_t k = 0, l = 0;
  double left = a[rows[0]], right = b[columns[0]];
  while (k < rows.size() && l < columns.size()) {
    const double mass = std::min(left, right);
    if (mass > 0.0) use(rows[k], columns[l], mass);
    left -= mass;
    right -= mass;
    if (left <= 0.0 && ++k < rows.size()) left = a[rows[k]];
    if (right <= 0.0 && ++l < columns.size()) right = b[columns[l]];
  }
}

void add_bin_means(const std::vector<std::pair<double, double>>& distribution, std::span<double> means) {
  const auto bins = static_cast<double>(means.size());
  double begin = 0.0;
  for (const auto& [cost, weight] : distribution) {
    const double end = std::min(1.0, begin + weight);
    for (auto bin = static_cast<std::size_t>(begin * bins); bin < means.size(); ++bin) {
      const double low = static_cast<double>(bin) / bins, high = static_cast<double>(bin + 1) / bins;
      if (low >= end) break;
      means[bin] += std::max(0.0, std::min(end, high) - std::max(begin, low)) * bins * cost;
    }
    begin = end;
  }
}

/// Moments of weighted points about their mean.
struct Moments {
  Matrix points;                 // centred
  std::vector<double> s, along;  // |x|^2; sum a s x
  Matrix second;                 // sum a x x^T
  double mean_s = 0.0, mean_s2 = 0.0;
};

Moments moments_of(Matrix points, const std::vector<double>& weights) {
  const auto d = static_cast<std::size_t>(points.columns);
  std::vector<double> mean(d, 0.0);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::size_t k = 0; k < d; ++k) mean[k] += weights[static_cast<std::size_t>(i)] * points.row(i)[k];
  Moments moments{{}, {}, std::vector<double>(d, 0.0), Matrix(points.columns, points.columns)};
  for (std::int64_t i = 0; i < points.rows; ++i) {
    const auto x = points.row(i);
    for (std::size_t k = 0; k < d; ++k) x[k] -= mean[k];
    const double weight = weights[static_cast<std::size_t>(i)];
    const double s = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
    moments.s.push_back(s);
    moments.mean_s += weight * s;
    moments.mean_s2 += weight * s * s;
    for (std::size_t k = 0; k < d; ++k) {
      moments.along[k] += weight * s * x[k];
      for (std::size_t l = 0; l < d; ++l) moments.second.row(static_cast<std::int64_t>(k))[l] += weight * x[k] * x[l];
    }
  }
  moments.points = std::move(points);
  return moments;
}

/// sum_k a_k |x - x_k|^4 = s^2 + 2 s m(s) + m(s^2) + 4 x^T S x - 4 x . m(s x) of centred points, m the weighted means.
std::vector<double> squared_eccentricities(const IntraRows& costs, const std::vector<double>& weights) {
  std::vector<std::int64_t> all(weights.size());
  std::iota(all.begin(), all.end(), std::int64_t{0});
  const Moments moments = moments_of(costs.points_of(all), weights);
  std::vector<double> result;
  for (std::int64_t i = 0; i < moments.points.rows; ++i) {
    const auto x = moments.points.row(i);
    const double s = moments.s[static_cast<std::size_t>(i)];
    double sum = s * s + 2.0 * s * moments.mean_s + moments.mean_s2;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const auto second = moments.second.row(static_cast<std::int64_t>(k));
      sum += 4.0 * x[k] * (std::inner_product(x.begin(), x.end(), second.begin(), 0.0) - moments.along[k]);
    }
    result.push_back(std::sqrt(std::max(0.0, sum)) / costs.divisor());
  }
  return result;
}

/// Calls use(i, C_i.) for blocks of owned rows of the geometry, in order.
template <class Use>
void for_cost_rows(const PairGeometry& geometry, const Use& use) {
  const auto m = static_cast<std::size_t>(geometry.num_columns());
  for (std::int64_t begin = geometry.rows().begin; begin < geometry.rows().end; begin += block_rows) {
    const RowRange block{begin, std::min(geometry.rows().end, begin + block_rows)};
    const std::vector<double> costs = geometry.cost_rows(block);
    for (std::size_t i = 0; i < static_cast<std::size_t>(block.size()); ++i)
      use(static_cast<std::size_t>(begin) + i, std::span(costs).subspan(i * m, m));
  }
}

/// a . f + b . g for f_i = min_j (C_ij - g_j), then g_j = min_i (C_ij - f_i): no more than the least <C, P>.
double feasible_dual(const Communicator& comm, const PairGeometry& geometry, const std::vector<double>& start,
                     const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> f, g(b.size(), infinity);
  for_cost_rows(geometry, [&](std::size_t, std::span<const double> costs) {
    double least = infinity;
    for (std::size_t j = 0; j < costs.size(); ++j)
      if (b[j] > 0.0) least = std::min(least, costs[j] - start[j]);
    f.push_back(least);
  });
  for_cost_rows(geometry, [&](std::size_t i, std::span<const double> costs) {
    if (!(a[i] > 0.0)) return;
    const double own = f[i - static_cast<std::size_t>(geometry.rows().begin)];
    for (std::size_t j = 0; j < costs.size(); ++j) g[j] = std::min(g[j], costs[j] - own);
  });
  comm.all_reduce(std::span(g), Reduction::min);
  f = comm.all_gather(std::span<const double>(f));
  double value = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] > 0.0) value += a[i] * f[i];
  for (std::size_t j = 0; j < b.size(); ++j)
    if (b[j] > 0.0) value += b[j] * g[j];
  return value;
}

/// No more than the least sum P_ij |x_i - y_j|^2.
double transport_bound(const Context& context, const Matrix& x, const Matrix& y, const std::vector<double>& a,
                       const std::vector<double>& b) {
  if (x.rows * y.rows <= most_exact_pairs) {
    const TransportSolution exact = solve_transport(a, b, squared_distances(x, y));
    return exact.cost - exact.gap;
  }
  Context in_float64 = context;
  in_float64.precision = Precision::float64;
  const auto geometry = make_pair_geometry(in_float64, {Cost::sq_euclidean,
                                                        {x.rows, x.columns, std::span<const double>(x.values)},
                                                        {y.rows, y.columns, std::span<const double>(y.values)},
                                                        a,
                                                        b,
                                                        {}});
  const double mean = geometry->cost_statistic(CostStatistic::mean);
  if (!(mean > 0.0)) return 0.0;
  SinkhornProblem problem;
  problem.geometry = geometry.get();
  problem.a = a;
  problem.b = b;
  problem.epsilon = share_of_mean_cost * mean;
  SinkhornSettings settings;
  settings.tolerance = 1e-3;
  settings.max_iterations = 200;
  settings.certify = false;
  const SinkhornSolution solution = solve_sinkhorn(in_float64, problem, settings);
  return feasible_dual(context.comm, *geometry, solution.g, a, b);
}

}  // namespace

std::vector<double> eccentricities(const Communicator& comm, const IntraRows& costs,
                                   const std::vector<double>& weights) {
  if (costs.are_squared()) return squared_eccentricities(costs, weights);
  if (costs.are_factored()) {
    std::vector<double> squares = costs.mean_squares(weights);
    for (double& square : squares) square = std::sqrt(std::max(0.0, square));
    return squares;
  }
  std::vector<double> owned(static_cast<std::size_t>(costs.rows().size()));
  const Host exec;
  Kokkos::parallel_for("thalweg::lower_bounds::eccentricities", Kokkos::RangePolicy<Host>(exec, 0, costs.rows().size()),
                       [&](const std::int64_t i) {
                         std::vector<double> row(weights.size());
                         costs.row(costs.rows().begin + i, row);
                         double sum = 0.0;
                         for (std::size_t k = 0; k < row.size(); ++k) sum += weights[k] * row[k] * row[k];
                         owned[static_cast<std::size_t>(i)] = std::sqrt(sum);
                       });
  exec.fence("thalweg::lower_bounds::eccentricities");
  return comm.all_gather(std::span<const double>(owned));
}

Matrix quantile_means(const Communicator& comm, const IntraRows& costs, const std::vector<double>& weights) {
  Matrix owned(costs.rows().size(), num_quantile_bins);
  const Host exec;
  Kokkos::parallel_for(
      "thalweg::lower_bounds::quantiles", Kokkos::RangePolicy<Host>(exec, 0, owned.rows),
      [&](const std::int64_t i) { add_bin_means(costs.distribution(costs.rows().begin + i, weights), owned.row(i)); });
  exec.fence("thalweg::lower_bounds::quantiles");
  for (double& value : owned.values) value /= std::sqrt(static_cast<double>(num_quantile_bins));
  Matrix all;
  all.values = comm.all_gather(std::span<const double>(owned.values));
  all.rows = costs.num_cells();
  all.columns = num_quantile_bins;
  return all;
}

Matrix monotone_coupling(const std::vector<double>& x, const std::vector<double>& y, const std::vector<double>& a,
                         const std::vector<double>& b) {
  Matrix coupling(static_cast<std::int64_t>(x.size()), static_cast<std::int64_t>(y.size()));
  for_monotone_pairs(x, y, a, b, [&](std::size_t i, std::size_t j, double mass) {
    coupling(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)) += mass;
  });
  return coupling;
}

LowerBounds lower_bounds(const Context& context, const GromovProblem& problem) {
  const IntraRows source(context.comm, problem.source), target(context.comm, problem.target);
  const std::vector<double> x = eccentricities(context.comm, source, problem.a),
                            y = eccentricities(context.comm, target, problem.b);
  LowerBounds bounds;
  for_monotone_pairs(x, y, problem.a, problem.b, [&](std::size_t i, std::size_t j, double mass) {
    bounds.eccentricity += mass * (x[i] - y[j]) * (x[i] - y[j]);
  });
  if (!source.are_stored() && std::max(source.num_cells(), target.num_cells()) > most_formed_cells) return bounds;
  bounds.distribution = transport_bound(context, quantile_means(context.comm, source, problem.a),
                                        quantile_means(context.comm, target, problem.b), problem.a, problem.b);
  return bounds;
}

}  // namespace thalweg
