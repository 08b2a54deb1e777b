#include "solvers/gromov/inner_products.hpp"

#include <algorithm>
#include <utility>

#include "solvers/ordered_sum.hpp"

namespace thalweg {

double dot(std::span<const double> x, std::span<const double> y) {
  double sum = 0.0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += x[k] * y[k];
  return sum;
}

double mean_square(const Matrix& points, const std::vector<double>& weights) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < points.rows; ++i)
    sum += weights[static_cast<std::size_t>(i)] * dot(points.row(i), points.row(i));
  return sum;
}

std::vector<double> centre(Matrix& points, const std::vector<double>& weights) {
  std::vector<double> mean(static_cast<std::size_t>(points.columns), 0.0);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += weights[static_cast<std::size_t>(i)] * points.row(i)[k];
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::size_t k = 0; k < mean.size(); ++k) points.row(i)[k] -= mean[k];
  return mean;
}

std::vector<double> moments_through_cells(const Matrix& x, const Matrix& y, const CellCoupling& coupling) {
  Matrix moments(x.columns, y.columns);
  std::vector<double> mean(static_cast<std::size_t>(y.columns));
  for (std::size_t i = 0; i < coupling.rows.size(); ++i) {
    std::fill(mean.begin(), mean.end(), 0.0);
    const auto mass = coupling.mass.row(static_cast<std::int64_t>(i));
    for (std::size_t j = 0; j < mass.size(); ++j)
      for (std::size_t l = 0; l < mean.size(); ++l) mean[l] += mass[j] * y.row(coupling.columns[j])[l];
    for (std::int64_t k = 0; k < x.columns; ++k)
      for (std::size_t l = 0; l < mean.size(); ++l) moments.row(k)[l] += x(coupling.rows[i], k) * mean[l];
  }
  return std::move(moments.values);
}

std::vector<double> moments_of_entries(const Matrix& x, const Matrix& y, const CouplingEntries& coupling) {
  Matrix moments(x.columns, y.columns);
  for (std::size_t e = 0; e < coupling.mass.size(); ++e)
    for (std::int64_t k = 0; k < x.columns; ++k) {
      const double factor = coupling.mass[e] * x(coupling.rows[e], k);
      for (std::int64_t l = 0; l < y.columns; ++l) moments(k, l) += factor * y(coupling.columns[e], l);
    }
  return std::move(moments.values);
}

double linear_energy(const Communicator& comm, const SharedClouds& shared, double constant,
                     const std::vector<double>& means, RowRange rows) {
  const auto h = static_cast<std::size_t>(shared.source.columns);
  if (h == 0) return 0.0;
  const auto count = static_cast<std::size_t>(rows.size());
  const std::size_t width = count > 0 ? means.size() / count : 0;
  std::vector<double> terms(count);
  for (std::size_t i = 0; i < count; ++i)
    terms[i] = dot(shared.source.row(rows.begin + static_cast<std::int64_t>(i)),
                   std::span(means).subspan((i + 1) * width - h, h));
  return constant - 2.0 * ordered_sum(comm, terms);
}

}  // namespace thalweg
