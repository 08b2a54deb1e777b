// Of matrices of owned rows x m, row-major: what Frank-Wolfe steps need of stored costs.
#include "kernels/host_rows.hpp"
#include "solvers/gromov/dense_cost.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

/// G = C_X (P C_Y)
template <class Scalar>
std::vector<double> DenseCost<Scalar>::product_with(const std::vector<Scalar>& coupling) const {
  const OwnedRows<Scalar> p{source_.num_cells, num_columns_, coupling, 1.0};
  const std::vector<double> wide = std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return product_of_rows<Scalar>(
            context_.comm, p, OwnedRows<Value>{num_columns_, num_columns_, values, target_.divisor}, context_.device);
      },
      target_.values);
  const std::vector<Scalar> b(wide.begin(), wide.end());
  return std::visit(
      [&]<class Value>(std::span<const Value> values) {
        return product_of_rows<Scalar>(context_.comm,
                                       OwnedRows<Value>{source_.num_cells, source_.num_cells, values, source_.divisor},
                                       OwnedRows<Scalar>{source_.num_cells, num_columns_, b, 1.0}, context_.device);
      },
      source_.values);
}

template <class Scalar>
double DenseCost<Scalar>::linear_cost(std::size_t i, std::size_t j) const {
  return linear_ ? linear_->cost(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)) : 0.0;
}

template <class Scalar>
std::vector<Scalar> DenseCost<Scalar>::linear_of(const std::vector<double>& product) const {
  std::vector<Scalar> linear(product.size());
  const auto m = static_cast<std::size_t>(num_columns_);
  for (std::size_t i = 0; i < terms_.rows.size(); ++i)
    for (std::size_t j = 0; j < m; ++j) {
      const double quadratic = 2.0 * (terms_.rows[i] + terms_.columns[j]) - 4.0 * product[i * m + j];
      linear[i * m + j] = static_cast<Scalar>(factors_.quadratic * quadratic + linear_cost(i, j));
    }
  return linear;
}

/// The sum of term(i, j) over owned rows i and all j, then over ranks.
template <class Scalar>
template <class Term>
double DenseCost<Scalar>::sum_over_pairs(const Term& term) const {
  std::vector<double> sums(static_cast<std::size_t>(rows_.size()));
  for_each_row_on_host(rows_.size(), [&](std::int64_t i) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < num_columns_; ++j)
      sum += term(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    sums[static_cast<std::size_t>(i)] = sum;
  });
  return ordered_sum(context_.comm, sums);
}

template <class Scalar>
void DenseCost<Scalar>::add_energies(const std::vector<Scalar>& coupling, const std::vector<double>& product,
                                     Linearisation& at) const {
  const auto m = static_cast<std::size_t>(num_columns_);
  const double half = sum_over_pairs([&](std::size_t i, std::size_t j) {
    return (2.0 * (terms_.rows[i] + terms_.columns[j]) - 2.0 * product[i * m + j]) *
           static_cast<double>(coupling[i * m + j]);
  });
  const double between = sum_over_pairs(
      [&](std::size_t i, std::size_t j) { return linear_cost(i, j) * static_cast<double>(coupling[i * m + j]); });
  set_energies(half, between, terms_, at);
}

template <class Scalar>
double DenseCost<Scalar>::inner_product(std::span<const double> x, std::span<const double> y) const {
  const auto m = static_cast<std::size_t>(num_columns_);
  return sum_over_pairs([&](std::size_t i, std::size_t j) { return x[i * m + j] * y[i * m + j]; });
}

template std::vector<double> DenseCost<double>::product_with(const std::vector<double>&) const;
template std::vector<double> DenseCost<double>::linear_of(const std::vector<double>&) const;
template void DenseCost<double>::add_energies(const std::vector<double>&, const std::vector<double>&,
                                              Linearisation&) const;
template double DenseCost<double>::inner_product(std::span<const double>, std::span<const double>) const;

}  // namespace thalweg
