#include "solvers/gromov/dense_cost.hpp"

#include <Kokkos_Core.hpp>
#include <cmath>

#include "kernels/block_rows.hpp"
#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/row_product.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

/// (C.^2 w)_i of the owned rows.
std::vector<double> squared_row_sums(const StoredIntraCosts& costs, RowRange rows, std::span<const double> weights) {
  const Host exec;
  std::vector<double> sums(static_cast<std::size_t>(rows.size()));
  const double factor = 1.0 / (costs.divisor * costs.divisor);
  std::visit(
      [&](const auto& values) {
        Kokkos::parallel_for("thalweg::dense_cost::squared_row_sums", Kokkos::RangePolicy<Host>(exec, 0, rows.size()),
                             [&](const std::int64_t i) {
                               const auto* row = values.data() + i * costs.num_cells;
                               double sum = 0.0;
                               for (std::int64_t k = 0; k < costs.num_cells; ++k) {
                                 const auto c = static_cast<double>(row[k]);
                                 sum += c * c * weights[static_cast<std::size_t>(k)];
                               }
                               sums[static_cast<std::size_t>(i)] = factor * sum;
                             });
      },
      costs.values);
  exec.fence("thalweg::dense_cost::squared_row_sums");
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
  row_terms_ = squared_row_sums(source_, rows_, a_);
  const std::vector<double> owned_terms = squared_row_sums(target_, columns, b_);
  column_terms_ = context.comm.all_gather(std::span<const double>(owned_terms));
  constant_ = weighted_sum(context.comm, rows_, a_, row_terms_) + weighted_sum(context.comm, columns, b_, owned_terms);
}

template <class Scalar>
LinearCost DenseCost<Scalar>::at_product() const {
  std::vector<Scalar> product;
  product.reserve(static_cast<std::size_t>(rows_.size() * num_columns_));
  for (std::int64_t i = rows_.begin; i < rows_.end; ++i)
    for (const double weight : b_) product.push_back(static_cast<Scalar>(a_[static_cast<std::size_t>(i)] * weight));
  return linear_of(product);
}

template <class Scalar>
LinearCost DenseCost<Scalar>::at_coupling(const CellCoupling& coupling) const {
  return linear_of_product(product_through_cells<Scalar>(context_.comm, source_, target_, coupling));
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

/// G = C_X (P C_Y), then K.
template <class Scalar>
std::vector<Scalar> DenseCost<Scalar>::linear_of(const std::vector<Scalar>& coupling) const {
  const OwnedRows<Scalar> p{source_.num_cells, num_columns_, coupling, 1.0};
  const std::vector<Scalar> b = narrowed<Scalar>(std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return product_of_rows<Scalar>(context_.comm, p,
                                       OwnedRows<Value>{num_columns_, num_columns_, values, target_.divisor});
      },
      target_.values));
  const std::vector<double> g = std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return product_of_rows<Scalar>(context_.comm,
                                       OwnedRows<Value>{source_.num_cells, source_.num_cells, values, source_.divisor},
                                       OwnedRows<Scalar>{source_.num_cells, num_columns_, b, 1.0});
      },
      source_.values);
  return linear_of_product(g);
}

/// K of G = C_X P C_Y.
template <class Scalar>
std::vector<Scalar> DenseCost<Scalar>::linear_of_product(const std::vector<double>& g) const {
  std::vector<Scalar> linear(g.size());
  const auto m = static_cast<std::size_t>(num_columns_);
  for (std::size_t i = 0; i < row_terms_.size(); ++i)
    for (std::size_t j = 0; j < m; ++j)
      linear[i * m + j] = static_cast<Scalar>(2.0 * (row_terms_[i] + column_terms_[j]) - 4.0 * g[i * m + j]);
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

/// E = <K, P> / 2 + <row and column terms, P> - constant: that of P where its marginals are a and b.
template <class Scalar>
Linearisation DenseCost<Scalar>::at(const LinearCost& linear, const PairGeometry&,
                                    const SinkhornSolution& inner) const {
  const auto& present = std::get<std::vector<Scalar>>(linear);
  const std::vector<Scalar> coupling = coupling_of(present, inner);
  std::vector<Scalar> next = linear_of(coupling);
  const auto m = static_cast<std::size_t>(num_columns_);
  Linearisation result;
  const double value = sum_over_pairs([&](std::size_t i, std::size_t j) {
    return static_cast<double>(next[i * m + j]) * static_cast<double>(coupling[i * m + j]);
  });
  result.difference = sum_over_pairs([&](std::size_t i, std::size_t j) {
    const double rise = static_cast<double>(next[i * m + j]) - static_cast<double>(present[i * m + j]);
    return rise * static_cast<double>(coupling[i * m + j]);
  });
  const double terms = sum_over_pairs([&](std::size_t i, std::size_t j) {
    return (row_terms_[i] + column_terms_[j]) * static_cast<double>(coupling[i * m + j]);
  });
  result.energy = 0.5 * value + terms - constant_;
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
