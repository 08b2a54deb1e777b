#include "solvers/gromov/fused_terms.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

void check_rows(std::span<const double> values, RowRange rows, std::int64_t num_columns) {
  for (std::size_t k = 0; k < values.size(); ++k)
    if (!std::isfinite(values[k]) || values[k] < 0.0)
      throw DataError("the linear cost of source row " +
                      std::to_string(rows.begin + static_cast<std::int64_t>(k) / num_columns) + " and target row " +
                      std::to_string(static_cast<std::int64_t>(k) % num_columns) + " is " + shortest_number(values[k]) +
                      "; linear costs must be finite and not negative");
}

void check_shared(const SharedFeatures& shared, std::int64_t num_rows, std::int64_t num_columns) {
  const PointSet &x = shared.source, &y = shared.target;
  if (x.num_points == num_rows && y.num_points == num_columns && x.dimension == y.dimension) return;
  throw DataError("the shared features are " + std::to_string(x.num_points) + " x " + std::to_string(x.dimension) +
                  " and " + std::to_string(y.num_points) + " x " + std::to_string(y.dimension) + " for " +
                  std::to_string(num_rows) + " and " + std::to_string(num_columns) +
                  " cells; both sides need the same features, one row a cell");
}

void move_by(Matrix& points, const std::vector<double>& shift) {
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::size_t k = 0; k < shift.size(); ++k) points.row(i)[k] -= shift[k];
}

std::vector<double> stored_rows(const StoredLinearCosts& costs, RowRange rows, std::int64_t num_columns) {
  return std::visit(
      [&](const auto& values) {
        if (values.size() != static_cast<std::size_t>(rows.size() * num_columns))
          throw DataError("the linear costs have " + std::to_string(values.size()) + " entries for " +
                          std::to_string(rows.size()) + " rows of " + std::to_string(num_columns) +
                          " target cells; they need one row a source cell and one column a target cell");
        return std::vector<double>(values.begin(), values.end());
      },
      costs.values);
}

std::vector<double> distances_of(const SharedClouds& clouds, RowRange rows) {
  const std::int64_t m = clouds.target.rows, width = clouds.source.columns;
  std::vector<double> result(static_cast<std::size_t>(rows.size() * m));
  Kokkos::parallel_for("thalweg::fused_terms::distances", Kokkos::RangePolicy<Host>(0, rows.size()),
                       [&](const std::int64_t i) {
                         const double* u = clouds.source.values.data() + (rows.begin + i) * width;
                         for (std::int64_t j = 0; j < m; ++j) {
                           const double* v = clouds.target.values.data() + j * width;
                           double sum = 0.0;
                           for (std::int64_t k = 0; k < width; ++k) sum += (u[k] - v[k]) * (u[k] - v[k]);
                           result[static_cast<std::size_t>(i * m + j)] = sum;
                         }
                       });
  Kokkos::fence("thalweg::fused_terms::distances");
  return result;
}

}  // namespace

FusedFactors fused_factors(const GromovProblem& problem, const FusedUnits& units) {
  const double alpha = problem.alpha;
  if (!(alpha >= 0.0 && alpha <= 1.0))
    throw DataError("alpha = " + shortest_number(alpha) +
                    " is outside [0, 1]; it weighs the quadratic part of the loss");
  if (problem.linear) return {alpha / units.quadratic, (1.0 - alpha) / units.linear};
  if (alpha < 1.0)
    throw DataError("alpha = " + shortest_number(alpha) +
                    " needs linear costs, and there are none; give them, or alpha = 1");
  return {};
}

FusedUnits fused_units(const GromovProblem& problem, double quadratic, double linear) {
  if (!problem.linear || problem.normalise == Normalise::none) return {};
  return {quadratic > 0.0 ? quadratic : 1.0, linear > 0.0 ? linear : 1.0};
}

std::vector<double> linear_cost_rows(const Context& context, const GromovProblem& problem, RowRange rows,
                                     std::int64_t num_columns) {
  if (!problem.linear) return {};
  std::vector<double> costs;
  context.comm.on_all([&] {
    if (const auto* stored = std::get_if<StoredLinearCosts>(&*problem.linear))
      costs = stored_rows(*stored, rows, num_columns);
    else costs = distances_of(shared_clouds(problem, static_cast<std::int64_t>(problem.a.size()), num_columns), rows);
    check_rows(costs, rows, num_columns);
  });
  return costs;
}

SharedClouds shared_clouds(const GromovProblem& problem, std::int64_t num_rows, std::int64_t num_columns) {
  if (!problem.linear) return {Matrix(num_rows, 0), Matrix(num_columns, 0)};
  const auto* shared = std::get_if<SharedFeatures>(&*problem.linear);
  if (shared == nullptr)
    throw DataError(
        "costs within the sides that are never stored need linear costs of the same kind; give features that both "
        "sides share, or store the costs within the sides");
  check_shared(*shared, num_rows, num_columns);
  SharedClouds clouds{finite_points(shared->source, "shared source"), finite_points(shared->target, "shared target")};
  std::vector<double> mean(static_cast<std::size_t>(clouds.source.columns), 0.0);
  for (std::int64_t i = 0; i < num_rows; ++i)
    for (std::size_t k = 0; k < mean.size(); ++k)
      mean[k] += problem.a[static_cast<std::size_t>(i)] * clouds.source.row(i)[k];
  move_by(clouds.source, mean);
  move_by(clouds.target, mean);
  return clouds;
}

Matrix finite_points(const PointSet& set, const std::string& name) {
  Matrix points(set.num_points, set.dimension);
  std::visit([&](const auto& values) { std::copy(values.begin(), values.end(), points.values.begin()); }, set.values);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (const double value : points.row(i))
      if (!std::isfinite(value))
        throw DataError("a feature of row " + std::to_string(i) + " of the " + name +
                        " side is not finite; features must be numbers; remove the cell");
  return points;
}

}  // namespace thalweg
