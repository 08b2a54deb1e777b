#include "solvers/gromov/dense_cost.hpp"

#include <Kokkos_Core.hpp>
#include <cmath>

#include "kernels/block_rows.hpp"
#include "solvers/gromov/row_product.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

/// (C.^power w)_i of the owned rows.
std::vector<double> row_sums_of_powers(const StoredIntraCosts& costs, int power, RowRange rows,
                                       std::span<const double> weights) {
  const Host exec;
  std::vector<double> sums(static_cast<std::size_t>(rows.size()));
  const double factor = 1.0 / std::pow(costs.divisor, power);
  std::visit(
      [&](const auto& values) {
        Kokkos::parallel_for("thalweg::dense_cost::row_sums_of_powers", Kokkos::RangePolicy<Host>(exec, 0, rows.size()),
                             [&](const std::int64_t i) {
                               const auto* row = values.data() + i * costs.num_cells;
                               double sum = 0.0;
                               for (std::int64_t k = 0; k < costs.num_cells; ++k) {
                                 const auto c = static_cast<double>(row[k]);
                                 sum += (power == 2 ? c * c : c) * weights[static_cast<std::size_t>(k)];
                               }
                               sums[static_cast<std::size_t>(i)] = factor * sum;
                             });
      },
      costs.values);
  exec.fence("thalweg::dense_cost::row_sums_of_powers");
  return sums;
}

double weighted_sum(const Communicator& comm, RowRange rows, std::span<const double> weights,
                    std::span<const double> owned_values) {
  std::vector<double> terms(owned_values.size());
  for (std::size_t i = 0; i < terms.size(); ++i)
    terms[i] = weights[static_cast<std::size_t>(rows.begin) + i] * owned_values[i];
  return ordered_sum(comm, terms);
}

template <class Scalar>
std::vector<Scalar> narrowed(std::vector<double>&& values) {
  if constexpr (std::is_same_v<Scalar, double>) return std::move(values);
  else return std::vector<Scalar>(values.begin(), values.end());
}

}  // namespace

template <class Scalar>
DenseCost<Scalar>::DenseCost(const Context& context, const GromovProblem& problem)
    : context_(context),
      product_(problem.a, problem.b),
      source_(std::get<StoredIntraCosts>(problem.source)),
      target_(std::get<StoredIntraCosts>(problem.target)),
      a_(problem.a),
      b_(problem.b),
      mode_(problem.mode),
      rows_(Partition(source_.num_cells, context.comm.size(), block_rows).rows_of(context.comm.rank())),
      columns_(Partition(target_.num_cells, context.comm.size(), block_rows).rows_of(context.comm.rank())),
      num_columns_(target_.num_cells) {
  terms_ = terms_of(a_, b_);
  weigh_parts(problem);
  if (mode_ != GromovMode::unbalanced) return;
  for (double& term : terms_.rows) term *= product_.of_a;
  for (double& term : terms_.columns) term *= product_.of_b;
}

/// Row and column terms of a coupling of marginals p and q.
template <class Scalar>
typename DenseCost<Scalar>::Terms DenseCost<Scalar>::terms_of(std::span<const double> p,
                                                              std::span<const double> q) const {
  Terms terms;
  terms.rows = row_sums_of_powers(source_, 2, rows_, p);
  const std::vector<double> owned = row_sums_of_powers(target_, 2, columns_, q);
  terms.columns = context_.comm.all_gather(std::span<const double>(owned));
  return terms;
}

/// s_GW = |b|^2 a^T C_X.^2 a + |a|^2 b^T C_Y.^2 b - 2 (a^T C_X a) (b^T C_Y b), s_W = a^T M b, and M in units of E.
template <class Scalar>
void DenseCost<Scalar>::weigh_parts(const GromovProblem& problem) {
  const Communicator& comm = context_.comm;
  const auto owned_columns =
      std::span(terms_.columns)
          .subspan(static_cast<std::size_t>(columns_.begin), static_cast<std::size_t>(columns_.size()));
  const double x = weighted_sum(comm, rows_, a_, terms_.rows), y = weighted_sum(comm, columns_, b_, owned_columns);
  if (mode_ == GromovMode::balanced) terms_.constant = x + y;
  std::vector<double> costs = linear_cost_rows(context_, problem, rows_, num_columns_);
  if (problem.linear) {
    const double mean_x = weighted_sum(comm, rows_, a_, row_sums_of_powers(source_, 1, rows_, a_));
    const double mean_y = weighted_sum(comm, columns_, b_, row_sums_of_powers(target_, 1, columns_, b_));
    const double linear = sum_over_pairs([&](std::size_t i, std::size_t j) {
      return costs[i * b_.size() + j] * a_[static_cast<std::size_t>(rows_.begin) + i] * b_[j];
    });
    const double squares = std::pow(product_.mass_b, 2) * x + std::pow(product_.mass_a, 2) * y;
    units_ = fused_units(problem, squares - 2.0 * mean_x * mean_y, linear);
  }
  factors_ = fused_factors(problem, units_);
  for (double& cost : costs) cost *= factors_.linear;
  linear_ = narrowed<Scalar>(std::move(costs));
}

template <class Scalar>
LinearCost DenseCost<Scalar>::at_product() const {
  std::vector<Scalar> product;
  product.reserve(static_cast<std::size_t>(rows_.size() * num_columns_));
  const double factor = mode_ == GromovMode::unbalanced ? product_.factor : 1.0;
  for (std::int64_t i = rows_.begin; i < rows_.end; ++i)
    for (const double weight : b_)
      product.push_back(static_cast<Scalar>(factor * a_[static_cast<std::size_t>(i)] * weight));
  return linear_of(product_with(product), terms_);
}

template <class Scalar>
std::unique_ptr<PairGeometry> DenseCost<Scalar>::geometry_of(const LinearCost& linear) const {
  PairSides sides;
  sides.cost = Cost::dense;
  sides.source = {source_.num_cells, 0, std::span<const Scalar>()};
  sides.target = {num_columns_, 0, std::span<const Scalar>()};
  sides.source_weights = a_;
  sides.target_weights = b_;
  sides.dense = std::span<const Scalar>(std::get<std::vector<Scalar>>(linear));
  return make_pair_geometry(context_, sides);
}

/// G = C_X (P C_Y)
template <class Scalar>
std::vector<double> DenseCost<Scalar>::product_with(const std::vector<Scalar>& coupling) const {
  const OwnedRows<Scalar> p{source_.num_cells, num_columns_, coupling, 1.0};
  const std::vector<Scalar> b = narrowed<Scalar>(std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return product_of_rows<Scalar>(context_.comm, p,
                                       OwnedRows<Value>{num_columns_, num_columns_, values, target_.divisor});
      },
      target_.values));
  return std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return product_of_rows<Scalar>(context_.comm,
                                       OwnedRows<Value>{source_.num_cells, source_.num_cells, values, source_.divisor},
                                       OwnedRows<Scalar>{source_.num_cells, num_columns_, b, 1.0});
      },
      source_.values);
}

/// K of a coupling with the product G.
template <class Scalar>
std::vector<Scalar> DenseCost<Scalar>::linear_of(const std::vector<double>& product, const Terms& terms) const {
  std::vector<Scalar> linear(product.size());
  const auto m = static_cast<std::size_t>(num_columns_);
  for (std::size_t i = 0; i < terms.rows.size(); ++i)
    for (std::size_t j = 0; j < m; ++j) {
      const double quadratic = 2.0 * (terms.rows[i] + terms.columns[j]) - 4.0 * product[i * m + j];
      const double between = linear_.empty() ? 0.0 : static_cast<double>(linear_[i * m + j]);
      linear[i * m + j] = static_cast<Scalar>(factors_.quadratic * quadratic + between);
    }
  return linear;
}

template <class Scalar>
std::vector<Scalar> DenseCost<Scalar>::coupling_of(const std::vector<Scalar>& linear,
                                                   const SinkhornSolution& inner) const {
  const Host exec;
  std::vector<Scalar> coupling(linear.size());
  Kokkos::parallel_for(
      "thalweg::dense_cost::coupling", Kokkos::RangePolicy<Host>(exec, 0, rows_.size()), [&](const std::int64_t i) {
        const auto row = static_cast<std::size_t>(i), m = static_cast<std::size_t>(num_columns_);
        const double f = inner.f[row];
        const double alpha = inner.log_alpha[static_cast<std::size_t>(rows_.begin) + row];
        for (std::size_t j = 0; j < m; ++j) {
          const double reference = alpha + inner.log_beta[j];
          const double cost = static_cast<double>(linear[row * m + j]);
          coupling[row * m + j] = static_cast<Scalar>(
              reference == -INFINITY ? 0.0 : std::exp(reference + (f + inner.g[j] - cost) / inner.epsilon));
        }
      });
  exec.fence("thalweg::dense_cost::coupling");
  return coupling;
}

/// The sum of term(i, j) over owned rows i and all j, then over ranks.
template <class Scalar>
template <class Term>
double DenseCost<Scalar>::sum_over_pairs(const Term& term) const {
  const Host exec;
  std::vector<double> sums(static_cast<std::size_t>(rows_.size()));
  Kokkos::parallel_for("thalweg::dense_cost::sum_over_pairs", Kokkos::RangePolicy<Host>(exec, 0, rows_.size()),
                       [&](const std::int64_t i) {
                         double sum = 0.0;
                         for (std::int64_t j = 0; j < num_columns_; ++j)
                           sum += term(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
                         sums[static_cast<std::size_t>(i)] = sum;
                       });
  exec.fence("thalweg::dense_cost::sum_over_pairs");
  return ordered_sum(context_.comm, sums);
}

/// E_gw = <row and column terms - 2 G, P> for the terms of P itself. With those of a and b, which are not P's until the
/// linear problem is solved, 2 <terms - G, P> - constant: linear in what is wrong with the marginals.
template <class Scalar>
void DenseCost<Scalar>::add_energies(const std::vector<Scalar>& coupling, const std::vector<double>& product,
                                     const Terms& terms, Linearisation& at) const {
  const auto m = static_cast<std::size_t>(num_columns_);
  const double factor = mode_ == GromovMode::balanced ? 2.0 : 1.0;
  at.energy_gw = sum_over_pairs([&](std::size_t i, std::size_t j) {
                   const double half = factor * (terms.rows[i] + terms.columns[j]) - 2.0 * product[i * m + j];
                   return half * static_cast<double>(coupling[i * m + j]);
                 }) -
                 terms.constant;
  at.energy = factors_.quadratic * at.energy_gw;
  if (factors_.linear == 0.0) return;
  const double between = sum_over_pairs([&](std::size_t i, std::size_t j) {
    return static_cast<double>(linear_[i * m + j]) * static_cast<double>(coupling[i * m + j]);
  });
  at.energy_linear = between / factors_.linear;
  at.energy += between;
}

template <class Scalar>
Linearisation DenseCost<Scalar>::at(const LinearCost& linear, const PairGeometry&,
                                    const SinkhornSolution& inner) const {
  const auto& present = std::get<std::vector<Scalar>>(linear);
  const std::vector<Scalar> coupling = coupling_of(present, inner);
  const std::vector<double> product = product_with(coupling);
  Terms own;
  if (mode_ != GromovMode::balanced)
    own = terms_of(context_.comm.all_gather(std::span<const double>(inner.row_sums)), inner.column_sums);
  const Terms& terms = mode_ == GromovMode::balanced ? terms_ : own;
  std::vector<Scalar> next = linear_of(product, terms);
  const auto m = static_cast<std::size_t>(num_columns_);
  Linearisation result;
  result.value = sum_over_pairs([&](std::size_t i, std::size_t j) {
    return static_cast<double>(next[i * m + j]) * static_cast<double>(coupling[i * m + j]);
  });
  result.difference = sum_over_pairs([&](std::size_t i, std::size_t j) {
    const double rise = static_cast<double>(next[i * m + j]) - static_cast<double>(present[i * m + j]);
    return rise * static_cast<double>(coupling[i * m + j]);
  });
  add_energies(coupling, product, terms, result);
  result.linear = std::move(next);
  return result;
}

template <class Scalar>
double DenseCost<Scalar>::inner_product(std::span<const double> x, std::span<const double> y) const {
  const auto m = static_cast<std::size_t>(num_columns_);
  return sum_over_pairs([&](std::size_t i, std::size_t j) { return x[i * m + j] * y[i * m + j]; });
}

template <class Scalar>
double DenseCost<Scalar>::relative_change(const LinearCost& k, const LinearCost& l) const {
  const auto& before = std::get<std::vector<Scalar>>(k);
  const auto& after = std::get<std::vector<Scalar>>(l);
  const auto m = static_cast<std::size_t>(num_columns_);
  const double size = sum_over_pairs([&](std::size_t i, std::size_t j) {
    const auto value = static_cast<double>(before[i * m + j]);
    return value * value;
  });
  const double difference = sum_over_pairs([&](std::size_t i, std::size_t j) {
    const double value = static_cast<double>(after[i * m + j]) - static_cast<double>(before[i * m + j]);
    return value * value;
  });
  return size > 0.0 ? std::sqrt(difference / size) : 0.0;
}

template class DenseCost<float>;
template class DenseCost<double>;

}  // namespace thalweg
