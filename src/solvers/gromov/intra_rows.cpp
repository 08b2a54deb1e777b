#include "solvers/gromov/intra_rows.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <array>
#include <numeric>

#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

double squared_distance(const double* x, const double* y, std::int64_t dimension) {
  double sum = 0.0;
  for (std::int64_t l = 0; l < dimension; ++l) sum += (x[l] - y[l]) * (x[l] - y[l]);
  return sum;
}

/// x^T D y
double product_with(const std::vector<double>& diagonal, const double* x, const double* y) {
  double sum = 0.0;
  for (std::size_t l = 0; l < diagonal.size(); ++l) sum += x[l] * diagonal[l] * y[l];
  return sum;
}

}  // namespace

IntraRows::IntraRows(const Communicator& comm, const IntraCosts& costs) {
  if (const auto* squared = std::get_if<SquaredDistances>(&costs)) {
    num_cells_ = squared->points.num_points;
    dimension_ = squared->points.dimension;
    divisor_ = squared->divisor;
    std::visit([&](const auto& values) { points_.assign(values.begin(), values.end()); }, squared->points.values);
  } else if (const auto* factored = std::get_if<FactoredCosts>(&costs)) {
    num_cells_ = factored->factor.num_points;
    dimension_ = factored->factor.dimension;
    diagonal_ = factored->diagonal;
    divisor_ = factored->divisor;
    std::visit([&](const auto& values) { points_.assign(values.begin(), values.end()); }, factored->factor.values);
  } else {
    stored_ = std::get<StoredIntraCosts>(costs);
    num_cells_ = stored_.num_cells;
    divisor_ = stored_.divisor;
  }
  rows_ = Partition(num_cells_, comm.size(), block_rows).rows_of(comm.rank());
}

double IntraRows::formed(std::int64_t i, std::int64_t k) const {
  const double *x = points_.data() + i * dimension_, *y = points_.data() + k * dimension_;
  return are_factored() ? product_with(diagonal_, x, y) : squared_distance(x, y, dimension_);
}

/// v_i^T D [V^T diag(a) V] D v_i
std::vector<double> IntraRows::mean_squares(const std::vector<double>& weights) const {
  const auto r = diagonal_.size();
  std::vector<double> moment(r * r, 0.0), result(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i)
    for (std::size_t k = 0; k < r; ++k)
      for (std::size_t l = 0; l < r; ++l) moment[k * r + l] += weights[i] * points_[i * r + k] * points_[i * r + l];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < r; ++k)
      sum += points_[i * r + k] * diagonal_[k] *
             product_with(diagonal_, points_.data() + i * r, moment.data() + k * r);
    result[i] = sum / (divisor_ * divisor_);
  }
  return result;
}

void IntraRows::row(std::int64_t i, std::span<double> values) const {
  const double factor = 1.0 / divisor_;
  if (!are_stored()) {
    for (std::int64_t k = 0; k < num_cells_; ++k) values[static_cast<std::size_t>(k)] = factor * formed(i, k);
    return;
  }
  std::visit(
      [&](const auto& stored) {
        const auto* own = stored.data() + (i - rows_.begin) * num_cells_;
        for (std::int64_t k = 0; k < num_cells_; ++k)
          values[static_cast<std::size_t>(k)] = factor * static_cast<double>(own[k]);
      },
      stored_.values);
}

std::vector<double> IntraRows::column(std::int64_t k) const {
  const double factor = 1.0 / divisor_;
  std::vector<double> values(static_cast<std::size_t>(rows_.size()));
  const Host exec;
  const auto fill = [&](const auto& cost) {
    Kokkos::parallel_for(
        "thalweg::intra_rows::column", Kokkos::RangePolicy<Host>(exec, rows_.begin, rows_.end),
        [&](const std::int64_t i) { values[static_cast<std::size_t>(i - rows_.begin)] = factor * cost(i); });
    exec.fence("thalweg::intra_rows::column");
  };
  if (!are_stored()) {
    fill([&](std::int64_t i) { return formed(i, k); });
    return values;
  }
  std::visit(
      [&](const auto& stored) {
        fill([&](std::int64_t i) {
          return static_cast<double>(stored[static_cast<std::size_t>((i - rows_.begin) * num_cells_ + k)]);
        });
      },
      stored_.values);
  return values;
}

std::vector<std::pair<double, double>> IntraRows::distribution(std::int64_t i, std::span<const double> weights) const {
  std::vector<std::pair<double, double>> parts;
  if (const auto* bytes = std::get_if<std::span<const std::uint8_t>>(&stored_.values); bytes && are_stored()) {
    std::array<double, 256> sums{};
    const std::uint8_t* own = bytes->data() + (i - rows_.begin) * num_cells_;
    for (std::size_t k = 0; k < weights.size(); ++k) sums[own[k]] += weights[k];
    for (std::size_t value = 0; value < sums.size(); ++value)
      if (sums[value] > 0.0) parts.emplace_back(static_cast<double>(value) / divisor_, sums[value]);
    return parts;
  }
  std::vector<double> costs(weights.size());
  row(i, costs);
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t k, std::size_t l) { return costs[k] < costs[l]; });
  for (const std::size_t k : order) {
    if (weights[k] <= 0.0) continue;
    if (parts.empty() || parts.back().first < costs[k]) parts.emplace_back(costs[k], weights[k]);
    else parts.back().second += weights[k];
  }
  return parts;
}

Matrix IntraRows::between(const Communicator& comm, const std::vector<std::int64_t>& cells) const {
  const auto count = static_cast<std::int64_t>(cells.size());
  Matrix costs(count, count);
  std::vector<double> all(static_cast<std::size_t>(num_cells_));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t cell = cells[static_cast<std::size_t>(i)];
    if (cell < rows_.begin || cell >= rows_.end) continue;
    row(cell, all);
    for (std::int64_t k = 0; k < count; ++k)
      costs(i, k) = all[static_cast<std::size_t>(cells[static_cast<std::size_t>(k)])];
  }
  comm.all_reduce(std::span(costs.values), Reduction::sum);  // one rank alone has more than 0 of an entry
  return costs;
}

Matrix IntraRows::points_of(const std::vector<std::int64_t>& cells) const {
  Matrix points(static_cast<std::int64_t>(cells.size()), dimension_);
  for (std::size_t i = 0; i < cells.size(); ++i)
    std::copy_n(points_.begin() + cells[i] * dimension_, dimension_, points.row(static_cast<std::int64_t>(i)).begin());
  return points;
}

}  // namespace thalweg
