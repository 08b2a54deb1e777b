// Products with the coupling, and rows of it.
#include <cmath>
#include <numbers>

#include "geometry/tiled_geometry.hpp"
#include "kernels/host_rows.hpp"
#include "kernels/instantiate.hpp"

namespace thalweg {

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::apply(std::span<const double> f, std::span<const double> g,
                                                                 std::span<const double> values,
                                                                 std::int64_t width) const {
  const auto pass = row_pass(column_biases(g));
  const std::vector<Scalar> shifts = row_biases(f);
  std::vector<double> result = products(*pass, shifts, values, width);
  result.resize(static_cast<std::size_t>(rows().size() * width));
  for (std::int64_t i = 0; i < rows().size(); ++i) {
    const double alpha = std::exp2(log2_alpha_[static_cast<std::size_t>(rows().begin + i)]);
    for (std::int64_t w = 0; w < width; ++w) result[static_cast<std::size_t>(i * width + w)] *= alpha;
  }
  return result;
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::apply_transposed(std::span<const double> f,
                                                                            std::span<const double> g,
                                                                            std::span<const double> values,
                                                                            std::int64_t width) const {
  std::vector<double> weighted(values.begin(), values.end());
  for (std::int64_t i = 0; i < rows().size(); ++i) {
    const double alpha = std::exp2(log2_alpha_[static_cast<std::size_t>(rows().begin + i)]);
    for (std::int64_t w = 0; w < width; ++w) weighted[static_cast<std::size_t>(i * width + w)] *= alpha;
  }
  if (has_row_tiles()) return products_down(f, g, weighted, width);
  const auto pass = column_pass(all_rows(row_biases(f)), {});
  const std::vector<Scalar> shifts = owned_columns(column_biases(g));
  std::vector<double> own = products(*pass, shifts, context_.comm.all_gather(std::span<const double>(weighted)), width);
  own.resize(static_cast<std::size_t>(points_->target.own.size() * width));
  return context_.comm.all_gather(std::span<const double>(own));
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::cost_rows(RowRange global_rows) const {
  const auto pass = row_pass({});
  std::vector<double> costs = scores(*pass, global_rows);
  for_each_row_on_host(global_rows.size(), [&](std::int64_t i) {
    scores_to_costs(global_rows.begin + i, costs.data() + i * num_columns());
  });
  return costs;
}

template <class Scalar, class ExecutionSpace>
void TiledGeometry<Scalar, ExecutionSpace>::scores_to_costs(std::int64_t i, double* row) const {
  const double unit = epsilon_ / std::numbers::log2e, per_score = is_dot() ? 1.0 : kappa_, of_row = source_part(i);
  for (std::int64_t j = 0; j < num_columns(); ++j)
    row[j] = unit * (of_row + kappa_ * points_->target_part(j) - per_score * row[j]);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> TiledGeometry<Scalar, ExecutionSpace>::coupling_rows(RowRange global_rows,
                                                                         std::span<const double> f,
                                                                         std::span<const double> g) const {
  const auto pass = row_pass({});
  std::vector<double> coupling = scores(*pass, global_rows);
  for_each_row_on_host(global_rows.size(), [&](std::int64_t i) {
    double* row = coupling.data() + i * num_columns();
    scores_to_costs(global_rows.begin + i, row);
    const double log2_alpha = log2_alpha_[static_cast<std::size_t>(global_rows.begin + i)];
    for (std::int64_t j = 0; j < num_columns(); ++j) {
      double& value = row[j];
      const double log2_reference = log2_alpha + log2_beta_[static_cast<std::size_t>(j)];
      const double exponent = (f[static_cast<std::size_t>(i)] + g[static_cast<std::size_t>(j)] - value) / epsilon_;
      value = log2_reference == -INFINITY ? 0.0 : std::exp2(log2_reference + std::numbers::log2e * exponent);
    }
  });
  return coupling;
}

#define THALWEG_TILED_PRODUCTS(Scalar, Space)                                                                        \
  template std::vector<double> TiledGeometry<Scalar, Space>::apply(std::span<const double>, std::span<const double>, \
                                                                   std::span<const double>, std::int64_t) const;     \
  template std::vector<double> TiledGeometry<Scalar, Space>::apply_transposed(                                       \
      std::span<const double>, std::span<const double>, std::span<const double>, std::int64_t) const;                \
  template std::vector<double> TiledGeometry<Scalar, Space>::cost_rows(RowRange) const;                              \
  template std::vector<double> TiledGeometry<Scalar, Space>::coupling_rows(RowRange, std::span<const double>,        \
                                                                           std::span<const double>) const;
THALWEG_INSTANTIATE(THALWEG_TILED_PRODUCTS)

}  // namespace thalweg
