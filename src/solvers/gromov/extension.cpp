#include "solvers/gromov/extension.hpp"

#include <cblas.h>

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace thalweg {

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;

constexpr std::int64_t tile = 64;  // rows of costs at a time, of a thread

/// Calls body(rows) for tiles of `rows`, shared out to the threads.
template <class Body>
void for_tiles(const char* name, RowRange rows, const Body& body) {
  const Host exec;
  const std::int64_t tiles = (rows.size() + tile - 1) / tile;
  Kokkos::parallel_for(
      name, Kokkos::RangePolicy<Host, Kokkos::Schedule<Kokkos::Dynamic>>(exec, 0, tiles, Kokkos::ChunkSize(1)),
      [&](const std::int64_t k) {
        const std::int64_t begin = rows.begin + k * tile;
        body(RowRange{begin, std::min(rows.end, begin + tile)});
      });
  exec.fence(name);
}

/// A B^T of the rows of A, or A B.
void multiply(const double* a, std::int64_t rows, std::int64_t depth, const Matrix& b, bool is_transposed,
              double* result) {
  if (rows == 0) return;
  const std::int64_t columns = is_transposed ? b.rows : b.columns;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, is_transposed ? CblasTrans : CblasNoTrans, static_cast<int>(rows),
              static_cast<int>(columns), static_cast<int>(depth), 1.0, a, static_cast<int>(depth), b.values.data(),
              static_cast<int>(b.columns), 0.0, result, static_cast<int>(columns));
}

/// A B^T, in tiles of rows.
Matrix product_with_transpose(const Matrix& a, const Matrix& b) {
  Matrix result(a.rows, b.rows);
  for_tiles("thalweg::extension::product", {0, a.rows}, [&](RowRange rows) {
    multiply(a.row(rows.begin).data(), rows.size(), a.columns, b, true, result.row(rows.begin).data());
  });
  return result;
}

Matrix transposed(const Matrix& a) {
  Matrix result(a.columns, a.rows);
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t k = 0; k < a.columns; ++k) result(k, i) = a(i, k);
  return result;
}

/// factor sum_i w_i D(x, i)^2
std::vector<double> squared_terms(const Matrix& distances, const std::vector<double>& weights, double factor) {
  std::vector<double> terms(static_cast<std::size_t>(distances.rows));
  for (std::int64_t x = 0; x < distances.rows; ++x) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < distances.columns; ++i)
      sum += distances(x, i) * distances(x, i) * weights[static_cast<std::size_t>(i)];
    terms[static_cast<std::size_t>(x)] = factor * sum;
  }
  return terms;
}

/// log sum exp; -infinity of nothing.
double log_sum_exp(const std::vector<double>& exponents) {
  const double largest = *std::max_element(exponents.begin(), exponents.end());
  if (largest == -INFINITY) return largest;
  double sum = 0.0;
  for (const double exponent : exponents) sum += std::exp(exponent - largest);
  return largest + std::log(sum);
}

/// The largest shares of a row, ties by smaller column.
void write_top(const std::vector<double>& shares, std::int64_t num_top, std::int64_t* columns, double* values) {
  std::vector<std::int64_t> order(shares.size());
  std::iota(order.begin(), order.end(), 0);
  const auto share = [&](std::int64_t column) { return shares[static_cast<std::size_t>(column)]; };
  std::partial_sort(order.begin(), order.begin() + num_top, order.end(), [&](std::int64_t a, std::int64_t b) {
    return share(a) > share(b) || (share(a) == share(b) && a < b);
  });
  for (std::int64_t k = 0; k < num_top; ++k) {
    columns[k] = order[static_cast<std::size_t>(k)];
    values[k] = share(columns[k]);
  }
}

}  // namespace

CouplingExtension::CouplingExtension(const ExtendedSide& source, const ExtendedSide& target, Matrix coupling,
                                     FusedFactors factors, double epsilon)
    : source_(source),
      target_(target),
      factors_(factors),
      epsilon_(epsilon),
      source_terms_(squared_terms(source.distances, source.solved_weights, 2.0 * factors.quadratic)),
      target_terms_(squared_terms(target.distances, target.solved_weights, 2.0 * factors.quadratic)),
      from_source_{&source,        &target,        product_with_transpose(coupling, target.distances),
                   &source_terms_, &target_terms_, true},
      from_target_{&target,        &source,        product_with_transpose(transposed(coupling), source.distances),
                   &target_terms_, &source_terms_, false} {}

void CouplingExtension::extend(std::span<const std::int32_t> solved_sources,
                               std::span<const std::int32_t> solved_targets) {
  f_ = potentials(from_source_, solved_targets);
  g_ = potentials(from_target_, solved_sources);
}

/// K of some rows, rows x all points of the other side.
std::vector<double> CouplingExtension::cost_rows(const View& view, RowRange rows) const {
  const auto columns = static_cast<std::size_t>(view.product.columns);
  std::vector<double> costs(static_cast<std::size_t>(rows.size()) * columns);
  multiply(view.own->distances.row(rows.begin).data(), rows.size(), view.product.rows, view.product, false,
           costs.data());
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows.size()); ++i) {
    const double own = (*view.own_terms)[static_cast<std::size_t>(rows.begin) + i];
    for (std::size_t y = 0; y < columns; ++y)
      costs[i * columns + y] = own + (*view.other_terms)[y] - 4.0 * factors_.quadratic * costs[i * columns + y];
  }
  add_linear(view, rows, costs);
  return costs;
}

void CouplingExtension::add_linear(const View& view, RowRange rows, std::vector<double>& costs) const {
  const std::int64_t columns = view.product.columns;
  for (const LinearRow& linear : linear_) {
    if (view.is_source && linear.source >= rows.begin && linear.source < rows.end)
      for (std::int64_t y = 0; y < columns; ++y)
        costs[static_cast<std::size_t>((linear.source - rows.begin) * columns + y)] +=
            factors_.linear * linear.costs[static_cast<std::size_t>(y)];
    if (view.is_source) continue;
    for (std::int64_t y = rows.begin; y < rows.end; ++y)
      costs[static_cast<std::size_t>((y - rows.begin) * columns + linear.source)] +=
          factors_.linear * linear.costs[static_cast<std::size_t>(y)];
  }
}

/// Of all points of a side, over the solved points of the other.
std::vector<double> CouplingExtension::potentials(const View& view, std::span<const std::int32_t> solved) const {
  std::vector<double> potentials(static_cast<std::size_t>(view.own->distances.rows));
  for_tiles("thalweg::extension::potentials", {0, view.own->distances.rows}, [&](RowRange rows) {
    const std::vector<double> costs = cost_rows(view, rows);
    std::vector<double> exponents(solved.size());
    for (std::int64_t x = rows.begin; x < rows.end; ++x) {
      for (std::size_t j = 0; j < solved.size(); ++j)
        exponents[j] = std::log(view.other->solved_weights[j]) +
                       (view.other->potential[j] -
                        costs[static_cast<std::size_t>((x - rows.begin) * view.product.columns + solved[j])]) /
                           epsilon_;
      potentials[static_cast<std::size_t>(x)] = -epsilon_ * log_sum_exp(exponents);
    }
  });
  return potentials;
}

Partners CouplingExtension::partners(const View& view, const std::vector<double>& potential, RowRange rows,
                                     const Matrix& values, std::int64_t num_top) const {
  const std::int64_t columns = view.product.columns, width = values.columns;
  num_top = std::min(num_top, columns);
  std::vector<double> log_weights(view.other->weights.size());
  std::transform(view.other->weights.begin(), view.other->weights.end(), log_weights.begin(),
                 [](double weight) { return std::log(weight); });
  const auto size = static_cast<std::size_t>(rows.size());
  Partners result{std::vector<std::int64_t>(size),
                  std::vector<double>(size),
                  std::vector<double>(size),
                  Matrix(rows.size(), width),
                  std::vector<std::int64_t>(size * static_cast<std::size_t>(num_top)),
                  std::vector<double>(size * static_cast<std::size_t>(num_top))};
  for_tiles("thalweg::extension::partners", rows, [&](RowRange part) {
    const std::vector<double> costs = cost_rows(view, part);
    std::vector<double> shares(static_cast<std::size_t>(columns));
    for (std::int64_t x = part.begin; x < part.end; ++x) {
      for (std::size_t y = 0; y < shares.size(); ++y)
        shares[y] = log_weights[y] +
                    (potential[y] - costs[static_cast<std::size_t>((x - part.begin) * columns) + y]) / epsilon_;
      const double total = log_sum_exp(shares);
      const std::int64_t row = x - rows.begin;
      double entropy = 0.0;
      for (std::size_t y = 0; y < shares.size(); ++y) {
        const double log_share = shares[y] - total;
        shares[y] = std::exp(log_share);
        if (shares[y] > 0.0) entropy -= shares[y] * log_share;
        for (std::int64_t k = 0; k < width; ++k)
          result.means(row, k) += shares[y] * values(static_cast<std::int64_t>(y), k);
      }
      const auto best = std::max_element(shares.begin(), shares.end());
      result.match[static_cast<std::size_t>(row)] = best - shares.begin();
      result.confidence[static_cast<std::size_t>(row)] = *best;
      result.entropy[static_cast<std::size_t>(row)] = entropy;
      write_top(shares, num_top, result.top.data() + row * num_top, result.top_shares.data() + row * num_top);
    }
  });
  return result;
}

Partners CouplingExtension::partners_of_sources(RowRange rows, const Matrix& values, std::int64_t num_top) const {
  return partners(from_source_, g_, rows, values, num_top);
}

Partners CouplingExtension::partners_of_targets(RowRange rows, const Matrix& values, std::int64_t num_top) const {
  return partners(from_target_, f_, rows, values, num_top);
}

}  // namespace thalweg
