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
      source_(std::get<StoredIntraCosts>(problem.source)),
      target_(std::get<StoredIntraCosts>(problem.target)),
      a_(problem.a),
      b_(problem.b),
      rows_(Partition(source_.num_cells, context.comm.size(), block_rows).rows_of(context.comm.rank())),
      num_columns_(target_.num_cells) {
  const RowRange columns = Partition(num_columns_, context.comm.size(), block_rows).rows_of(context.comm.rank());
  row_terms_ = row_sums_of_powers(source_, 2, rows_, a_);
  const std::vector<double> owned_terms = row_sums_of_powers(target_, 2, columns, b_);
  column_terms_ = context.comm.all_gather(std::span<const double>(owned_terms));
  constant_ = weighted_sum(context.comm, rows_, a_, row_terms_) + weighted_sum(context.comm, columns, b_, owned_terms);
  weigh_parts(problem, columns);
}

/// s_GW = a^T C_X.^2 a + b^T C_Y.^2 b - 2 (a^T C_X a) (b^T C_Y b), s_W = a^T M b, and M in units of E.
template <class Scalar>
void DenseCost<Scalar>::weigh_parts(const GromovProblem& problem, RowRange columns) {
  std::vector<double> costs = linear_cost_rows(context_, problem, rows_, num_columns_);
  if (!costs.empty() || problem.linear) {
    const double x = weighted_sum(context_.comm, rows_, a_, row_sums_of_powers(source_, 1, rows_, a_));
    const double y = weighted_sum(context_.comm, columns, b_, row_sums_of_powers(target_, 1, columns, b_));
    const double linear = sum_over_pairs([&](std::size_t i, std::size_t j) {
      return costs[i * b_.size() + j] * a_[static_cast<std::size_t>(rows_.begin) + i] * b_[j];
    });
    units_ = fused_units(problem, constant_ - 2.0 * x * y, linear);
  }
  factors_ = fused_factors(problem, units_);
  for (double& cost : costs) cost *= factors_.linear;
  linear_ = narrowed<Scalar>(std::move(costs));
}

template <class Scalar>
LinearCost DenseCost<Scalar>::at_product() const {
  std::vector<Scalar> product;
  product.reserve(static_cast<std::size_t>(rows_.size() * num_columns_));
  for (std::int64_t i = rows_.begin; i < rows_.end; ++i)
    for (const double weight : b_) product.push_back(static_cast<Scalar>(a_[static_cast<std::size_t>(i)] * weight));
  return linear_of(product_with(product));
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
std::vector<Scalar> DenseCost<Scalar>::linear_of(const std::vector<double>& product) const {
  std::vector<Scalar> linear(product.size());
  const auto m = static_cast<std::size_t>(num_columns_);
  for (std::size_t i = 0; i < row_terms_.size(); ++i)
    for (std::size_t j = 0; j < m; ++j) {
      const double quadratic = 2.0 * (row_terms_[i] + column_terms_[j]) - 4.0 * product[i * m + j];
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

/// E_gw = 2 <row and column terms - G, P> - constant: that of P where its marginals are a and b.
template <class Scalar>
Linearisation DenseCost<Scalar>::at(const LinearCost& linear, const PairGeometry&,
                                    const SinkhornSolution& inner) const {
  const auto& present = std::get<std::vector<Scalar>>(linear);
  const std::vector<Scalar> coupling = coupling_of(present, inner);
  const std::vector<double> product = product_with(coupling);
  std::vector<Scalar> next = linear_of(product);
  const auto m = static_cast<std::size_t>(num_columns_);
  Linearisation result;
  result.difference = sum_over_pairs([&](std::size_t i, std::size_t j) {
    const double rise = static_cast<double>(next[i * m + j]) - static_cast<double>(present[i * m + j]);
    return rise * static_cast<double>(coupling[i * m + j]);
  });
  result.energy_gw = 2.0 * sum_over_pairs([&](std::size_t i, std::size_t j) {
    return (row_terms_[i] + column_terms_[j] - product[i * m + j]) * static_cast<double>(coupling[i * m + j]);
  }) - constant_;
  result.energy = factors_.quadratic * result.energy_gw;
  if (factors_.linear > 0.0) {
    const double between = sum_over_pairs([&](std::size_t i, std::size_t j) {
      return static_cast<double>(linear_[i * m + j]) * static_cast<double>(coupling[i * m + j]);
    });
    result.energy_linear = between / factors_.linear;
    result.energy += between;
  }
  result.linear = std::move(next);
  return result;
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
