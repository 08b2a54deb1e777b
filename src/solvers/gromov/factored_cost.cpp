#include "solvers/gromov/factored_cost.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>

#include "geometry/row_gram.hpp"
#include "solvers/gromov/inner_products.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

Matrix factor_of(const FactoredCosts& costs, const char* name) {
  Matrix rows(costs.factor.num_points, costs.factor.dimension);
  std::visit([&](const auto& values) { std::copy(values.begin(), values.end(), rows.values.begin()); },
             costs.factor.values);
  for (std::int64_t i = 0; i < rows.rows; ++i)
    for (const double value : rows.row(i))
      if (!std::isfinite(value))
        throw DataError("a value of row " + std::to_string(i) + " of the factor of the " + name +
                        " costs is not finite; costs must be numbers; remove the cell");
  return rows;
}

/// sum_i a_i v_i v_i^T
Matrix moment_of(const Matrix& rows, const std::vector<double>& weights) {
  Matrix moment(rows.columns, rows.columns);
  for (std::int64_t i = 0; i < rows.rows; ++i)
    for (std::int64_t k = 0; k < rows.columns; ++k) {
      const double weighted = weights[static_cast<std::size_t>(i)] * rows(i, k);
      for (std::int64_t l = 0; l < rows.columns; ++l) moment(k, l) += weighted * rows(i, l);
    }
  return moment;
}

}  // namespace

FactoredCost::FactoredCost(const Context& context, const GromovProblem& problem)
    : context_(context),
      source_(side_of(std::get<FactoredCosts>(problem.source), problem.a, "source")),
      target_(side_of(std::get<FactoredCosts>(problem.target), problem.b, "target")),
      shared_(shared_clouds(problem, source_.centred.rows, target_.centred.rows)),
      constant_(own_energy(source_) + own_energy(target_)) {
  for (std::int64_t j = 0; j < target_.centred.rows; ++j) {
    const auto w = target_.centred.row(j), v = shared_.target.row(j);
    target_features_.insert(target_features_.end(), w.begin(), w.end());
    target_features_.insert(target_features_.end(), v.begin(), v.end());
  }
  shared_constant_ = mean_square(shared_.source, problem.a) + mean_square(shared_.target, problem.b);
  const double product = product_energy(std::get<std::vector<double>>(at_product()),
                                        std::vector<double>(source_.mean.size() * target_.mean.size(), 0.0));
  units_ = fused_units(problem, constant_ - 2.0 * product, shared_constant_);  // the mean of u is 0 at a b^T
  factors_ = fused_factors(problem, units_);
}

/// <M, Z> of the moments of centred rows.
double FactoredCost::product_energy(const std::vector<double>& core, const std::vector<double>& moments) const {
  double sum = 0.0;
  const std::size_t q = target_.mean.size();
  for (std::size_t k = 0; k < core.size(); ++k)
    sum += core[k] * (moments[k] + source_.mean[k / q] * target_.mean[k % q]);
  return sum;
}

FactoredCost::Side FactoredCost::side_of(const FactoredCosts& costs, const std::vector<double>& weights,
                                         const char* name) {
  Side side{factor_of(costs, name), {}, costs.diagonal, {}, weights};
  side.mean = centre(side.centred, weights);
  side.moment = moment_of(side.centred, weights);
  for (double& value : side.diagonal) value /= costs.divisor;
  return side;
}

/// tr(D G D G), G = V^T diag(a) V of the rows as they are
double FactoredCost::own_energy(const Side& side) {
  double sum = 0.0;
  for (std::size_t k = 0; k < side.mean.size(); ++k)
    for (std::size_t l = 0; l < side.mean.size(); ++l) {
      const double moment = side.moment(static_cast<std::int64_t>(k), static_cast<std::int64_t>(l));
      sum += side.diagonal[k] * side.diagonal[l] * std::pow(moment + side.mean[k] * side.mean[l], 2);
    }
  return sum;
}

/// M of V^T P W, both centred, to which a coupling of marginals a and b adds the product of the means.
std::vector<double> FactoredCost::core_of(const std::vector<double>& moments) const {
  const std::size_t p = source_.mean.size(), q = target_.mean.size();
  std::vector<double> core(p * q);
  for (std::size_t k = 0; k < p; ++k)
    for (std::size_t l = 0; l < q; ++l)
      core[k * q + l] =
          source_.diagonal[k] * target_.diagonal[l] * (moments[k * q + l] + source_.mean[k] * target_.mean[l]);
  return core;
}

LinearCost FactoredCost::at_product() const {
  return core_of(std::vector<double>(source_.mean.size() * target_.mean.size(), 0.0));
}

LinearCost FactoredCost::at_coupling(const CellCoupling& coupling) const {
  return core_of(moments_through_cells(source_.centred, target_.centred, coupling));
}

LinearCost FactoredCost::at_entries(const CouplingEntries& coupling) const {
  return core_of(moments_of_entries(source_.centred, target_.centred, coupling));
}

std::unique_ptr<PairGeometry> FactoredCost::geometry_of(const LinearCost& linear) const {
  const auto& core = std::get<std::vector<double>>(linear);
  const std::int64_t n = source_.centred.rows, p = source_.centred.columns, q = target_.centred.columns;
  const std::int64_t h = shared_.source.columns, width = num_features();
  std::vector<double> features(static_cast<std::size_t>(n * width), 0.0);
  Kokkos::parallel_for("thalweg::factored_cost::features", Kokkos::RangePolicy<Host>(0, n), [&](const std::int64_t i) {
    double* row = features.data() + i * width;
    for (std::int64_t k = 0; k < p; ++k)
      for (std::int64_t l = 0; l < q; ++l)
        row[l] -= 4.0 * factors_.quadratic * source_.centred(i, k) * core[static_cast<std::size_t>(k * q + l)];
    for (std::int64_t k = 0; k < h; ++k) row[q + k] = -2.0 * factors_.linear * shared_.source(i, k);
  });
  Kokkos::fence("thalweg::factored_cost::features");
  PairSides sides;
  sides.cost = Cost::factored;
  sides.source = {n, width, std::span<const double>(features)};
  sides.target = {target_.centred.rows, width, std::span<const double>(target_features_)};
  sides.source_weights = source_.weights;
  sides.target_weights = target_.weights;
  return make_pair_geometry(context_, sides);
}

Linearisation FactoredCost::at(const LinearCost& linear, const PairGeometry& geometry,
                               const SinkhornSolution& inner) const {
  const std::int64_t p = source_.centred.columns, q = target_.centred.columns, width = num_features();
  const RowRange rows = geometry.rows();
  const std::vector<double> means = geometry.apply(inner.f, inner.g, target_features_, width);
  const std::span<const double> factor(source_.centred.values);
  const TallRows v{factor.subspan(static_cast<std::size_t>(rows.begin * p)), rows.size(), p, p};
  const std::vector<double> moments =
      products_of_rows(context_.comm, v, {means, rows.size(), q, width}, source_.centred.rows).values;

  std::vector<double> core = core_of(moments);
  const auto& before = std::get<std::vector<double>>(linear);
  double rise = 0.0;
  for (std::size_t k = 0; k < core.size(); ++k) rise += (core[k] - before[k]) * moments[k];
  Linearisation result;
  result.difference = -4.0 * factors_.quadratic * rise;
  result.energy_gw = constant_ - 2.0 * product_energy(core, moments);
  result.energy_linear = linear_energy(context_.comm, shared_, shared_constant_, means, rows);
  result.value =
      -4.0 * factors_.quadratic * dot(core, moments) + factors_.linear * (result.energy_linear - shared_constant_);
  result.energy = factors_.quadratic * result.energy_gw + factors_.linear * result.energy_linear;
  result.linear = std::move(core);
  return result;
}

/// <M, G_X M G_Y>, G the moments: the sum of a_i b_j (v_i^T M w_j)^2.
double FactoredCost::square_of(const std::vector<double>& core) const {
  Matrix m(source_.centred.columns, target_.centred.columns);
  m.values = core;
  return dot(product(product(source_.moment, m), target_.moment).values, core);
}

double FactoredCost::relative_change(const LinearCost& k, const LinearCost& l) const {
  const auto& before = std::get<std::vector<double>>(k);
  const auto& after = std::get<std::vector<double>>(l);
  std::vector<double> difference(before.size());
  for (std::size_t i = 0; i < before.size(); ++i) difference[i] = after[i] - before[i];
  const double size = std::max(square_of(before), square_of(after));
  return size > 0.0 ? std::sqrt(std::max(0.0, square_of(difference)) / size) : 0.0;
}

}  // namespace thalweg
