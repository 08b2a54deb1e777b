#include "solvers/gromov/dense_cost.hpp"

#include <Kokkos_Core.hpp>
#include <cmath>

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
  const std::vector<double> costs = linear_cost_rows(context_, problem, rows_, num_columns_);
  if (problem.linear) {
    const double mean_x = weighted_sum(comm, rows_, a_, row_sums_of_powers(source_, 1, rows_, a_));
    const double mean_y = weighted_sum(comm, columns_, b_, row_sums_of_powers(target_, 1, columns_, b_));
    std::vector<double> means(static_cast<std::size_t>(rows_.size()), 0.0);
    for (std::size_t k = 0; k < costs.size(); ++k) means[k / b_.size()] += costs[k] * b_[k % b_.size()];
    const double linear = weighted_sum(comm, rows_, a_, means);
    const double squares = std::pow(product_.mass_b, 2) * x + std::pow(product_.mass_a, 2) * y;
    units_ = fused_units(problem, squares - 2.0 * mean_x * mean_y, linear);
  }
  factors_ = fused_factors(problem, units_);
  if (costs.empty()) return;
  linear_ = std::make_unique<Tiles>(rows_.size(), num_columns_);
  for (std::int64_t i = 0; i < rows_.size(); ++i)
    for (std::int64_t j = 0; j < num_columns_; ++j)
      linear_->set_cost(i, j, factors_.linear * costs[static_cast<std::size_t>(i * num_columns_ + j)]);
}

/// C_X a b^T C_Y is a product of two vectors.
template <class Scalar>
LinearCost DenseCost<Scalar>::at_product() const {
  const double factor = mode_ == GromovMode::unbalanced ? product_.factor : 1.0;
  const std::vector<double> x = row_sums_of_powers(source_, 1, rows_, a_),
                            owned = row_sums_of_powers(target_, 1, columns_, b_);
  const std::vector<double> y = context_.comm.all_gather(std::span<const double>(owned));
  auto linear = std::make_shared<Tiles>(rows_.size(), num_columns_);
  std::vector<double> product(static_cast<std::size_t>(num_columns_ * block_rows));
  for (std::int64_t begin = 0; begin < rows_.size(); begin += block_rows) {
    const RowRange block{begin, std::min<std::int64_t>(rows_.size(), begin + block_rows)};
    for (std::int64_t j = 0; j < num_columns_; ++j)
      for (std::int64_t i = begin; i < block.end; ++i)
        product[static_cast<std::size_t>(j * block_rows + i - begin)] =
            factor * x[static_cast<std::size_t>(i)] * y[static_cast<std::size_t>(j)];
    set_block({block, {0, num_columns_}, product.data()}, terms_, *linear);
  }
  return SharedTiles<Scalar>(std::move(linear));
}

template <class Scalar>
std::unique_ptr<PairGeometry> DenseCost<Scalar>::geometry_of(const LinearCost& linear) const {
  PairSides sides;
  sides.cost = Cost::dense;
  sides.source = {source_.num_cells, 0, std::span<const Scalar>()};
  sides.target = {num_columns_, 0, std::span<const Scalar>()};
  sides.source_weights = a_;
  sides.target_weights = b_;
  sides.dense = std::get<SharedTiles<Scalar>>(linear);
  return make_pair_geometry(context_, sides);
}

template class DenseCost<float>;
template class DenseCost<double>;

}  // namespace thalweg
