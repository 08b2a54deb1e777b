#include "solvers/gromov/squared_cost.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>

#include "geometry/row_gram.hpp"
#include "solvers/gromov/inner_products.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

}  // namespace

SquaredCost::SquaredCost(const Context& context, const GromovProblem& problem)
    : context_(context),
      source_(cloud_of(std::get<SquaredDistances>(problem.source), problem.a, "source")),
      target_(cloud_of(std::get<SquaredDistances>(problem.target), problem.b, "target")),
      shared_(shared_clouds(problem, source_.points.rows, target_.points.rows)) {
  for (std::int64_t j = 0; j < target_.points.rows; ++j) {
    target_features_.push_back(target_.s[static_cast<std::size_t>(j)]);
    const auto y = target_.points.row(j), v = shared_.target.row(j);
    target_features_.insert(target_features_.end(), y.begin(), y.end());
    target_features_.insert(target_features_.end(), v.begin(), v.end());
  }
  const double sizes = 4.0 * dot(source_.weights, source_.s) * dot(target_.weights, target_.s);
  constant_ = own_energy(source_) + own_energy(target_) - sizes;
  shared_constant_ = mean_square(shared_.source, problem.a) + mean_square(shared_.target, problem.b);
  units_ = fused_units(problem, constant_ - sizes, shared_constant_);  // T and the mean of u are 0 at a b^T
  factors_ = fused_factors(problem, units_);
}

SquaredCost::Cloud SquaredCost::cloud_of(const SquaredDistances& side, const std::vector<double>& weights,
                                         const char* name) {
  Cloud cloud{finite_points(side.points, name), {}, weights};
  centre(cloud.points, weights);
  const double factor = 1.0 / std::sqrt(side.divisor);
  for (double& value : cloud.points.values) value *= factor;
  for (std::int64_t i = 0; i < cloud.points.rows; ++i) cloud.s.push_back(dot(cloud.points.row(i), cloud.points.row(i)));
  return cloud;
}

/// 2 sum a s^2 + 2 (a . s)^2 + 4 |X^T diag(a) X|_F^2
double SquaredCost::own_energy(const Cloud& cloud) {
  const std::int64_t d = cloud.points.columns;
  Matrix moment(d, d);
  double fourth = 0.0;
  for (std::int64_t i = 0; i < cloud.points.rows; ++i) {
    const double weight = cloud.weights[static_cast<std::size_t>(i)], s = cloud.s[static_cast<std::size_t>(i)];
    fourth += weight * s * s;
    for (std::int64_t k = 0; k < d; ++k)
      for (std::int64_t l = 0; l < d; ++l) moment(k, l) += weight * cloud.points(i, k) * cloud.points(i, l);
  }
  const double second = dot(cloud.weights, cloud.s);
  return 2.0 * fourth + 2.0 * second * second + 4.0 * dot(moment.values, moment.values);
}

/// T = 0: both clouds are centred.
LinearCost SquaredCost::at_product() const {
  return std::vector<double>(static_cast<std::size_t>(source_.points.columns * target_.points.columns), 0.0);
}

/// T = sum of mass x y^T
LinearCost SquaredCost::at_coupling(const CellCoupling& coupling) const {
  return moments_through_cells(source_.points, target_.points, coupling);
}

LinearCost SquaredCost::at_entries(const CouplingEntries& coupling) const {
  return moments_of_entries(source_.points, target_.points, coupling);
}

std::unique_ptr<PairGeometry> SquaredCost::geometry_of(const LinearCost& linear) const {
  const auto& core = std::get<std::vector<double>>(linear);
  const std::int64_t n = source_.points.rows, p = source_.points.columns, q = target_.points.columns,
                     h = shared_.source.columns, width = num_features();
  std::vector<double> features(static_cast<std::size_t>(n * width), 0.0);
  Kokkos::parallel_for("thalweg::squared_cost::features", Kokkos::RangePolicy<Host>(0, n), [&](const std::int64_t i) {
    double* row = features.data() + i * width;
    row[0] = -4.0 * factors_.quadratic * source_.s[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < p; ++k)
      for (std::int64_t l = 0; l < q; ++l)
        row[1 + l] -= 16.0 * factors_.quadratic * source_.points(i, k) * core[static_cast<std::size_t>(k * q + l)];
    for (std::int64_t k = 0; k < h; ++k) row[1 + q + k] = -2.0 * factors_.linear * shared_.source(i, k);
  });
  Kokkos::fence("thalweg::squared_cost::features");
  PairSides sides;
  sides.cost = Cost::factored;
  sides.source = {n, width, std::span<const double>(features)};
  sides.target = {target_.points.rows, width, std::span<const double>(target_features_)};
  sides.source_weights = source_.weights;
  sides.target_weights = target_.weights;
  return make_pair_geometry(context_, sides);
}

/// X^T Z over the rows of all ranks, Z the columns P Y of `means`, behind the first.
std::vector<double> SquaredCost::core_of(const std::vector<double>& means, RowRange rows) const {
  const std::int64_t p = source_.points.columns, q = target_.points.columns;
  const std::span<const double> points(source_.points.values);
  const TallRows x{points.subspan(static_cast<std::size_t>(rows.begin * p)), rows.size(), p, p};
  const TallRows z{means, rows.size(), q, num_features(), 1};
  return products_of_rows(context_.comm, x, z, source_.points.rows).values;
}

Linearisation SquaredCost::at(const LinearCost& linear, const PairGeometry& geometry,
                              const SinkhornSolution& inner) const {
  const std::int64_t width = num_features();
  const RowRange rows = geometry.rows();
  const std::vector<double> means = geometry.apply(inner.f, inner.g, target_features_, width);
  std::vector<double> radial(static_cast<std::size_t>(rows.size()));
  for (std::int64_t i = 0; i < rows.size(); ++i)
    radial[static_cast<std::size_t>(i)] =
        source_.s[static_cast<std::size_t>(rows.begin + i)] * means[static_cast<std::size_t>(i * width)];
  std::vector<double> core = core_of(means, rows);
  const double sizes = ordered_sum(context_.comm, radial), square = dot(core, core);
  Linearisation result;
  result.difference = -16.0 * factors_.quadratic * (square - dot(std::get<std::vector<double>>(linear), core));
  result.energy_gw = constant_ - 4.0 * sizes - 8.0 * square;
  result.energy_linear = linear_energy(context_.comm, shared_, shared_constant_, means, rows);
  result.value =
      -factors_.quadratic * (4.0 * sizes + 16.0 * square) + factors_.linear * (result.energy_linear - shared_constant_);
  result.energy = factors_.quadratic * result.energy_gw + factors_.linear * result.energy_linear;
  result.linear = std::move(core);
  return result;
}

double SquaredCost::relative_change(const LinearCost& k, const LinearCost& l) const {
  const auto& before = std::get<std::vector<double>>(k);
  const auto& after = std::get<std::vector<double>>(l);
  double difference = 0.0;
  for (std::size_t i = 0; i < before.size(); ++i) difference += (after[i] - before[i]) * (after[i] - before[i]);
  const double size = std::max(dot(before, before), dot(after, after));
  return size > 0.0 ? std::sqrt(difference / size) : 0.0;
}

}  // namespace thalweg
