#include "geometry/landmark_factor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "geometry/row_gram.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/fixed_point.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t fitted_per_landmark = 4;
constexpr std::int64_t most_checked = 256, least_checked_share = 20;
constexpr double pseudo_inverse_cut = 1e-3;

/// Cells by what their searches are for: landmarks are among the fitted, the checked are others.
struct CellUses {
  std::vector<std::int32_t> landmarks, fitted, checked;
};

CellUses cell_uses(const Graph& graph, const LandmarkFactorOptions& options, std::uint64_t seed) {
  CellUses uses;
  uses.landmarks = choose_landmarks(graph, options.choice, options.landmarks, seed);
  const auto taken = static_cast<std::int64_t>(uses.landmarks.size()), left = graph.num_nodes - taken;
  const std::int64_t num_fitted = std::min(fitted_per_landmark * taken, left - left / least_checked_share);
  std::vector<bool> is_landmark(static_cast<std::size_t>(graph.num_nodes), false);
  for (const std::int32_t landmark : uses.landmarks) is_landmark[static_cast<std::size_t>(landmark)] = true;
  // Landmarks can be anywhere in the random order, so it is followed far enough for all of them.
  const std::int64_t followed = std::min(graph.num_nodes, taken + num_fitted + most_checked);
  std::vector<std::int32_t> others = random_cells(graph.num_nodes, followed, seed, landmark_stream);
  std::erase_if(others, [&](std::int32_t cell) { return is_landmark[static_cast<std::size_t>(cell)]; });
  const auto split = others.begin() + num_fitted;
  const auto end = split + std::min<std::ptrdiff_t>(most_checked, others.end() - split);
  uses.fitted.assign(others.begin(), split);
  uses.checked.assign(split, end);
  // Landmarks too: a direction of the basis that no other cell sees would be fitted to nothing.
  uses.fitted.insert(uses.fitted.end(), uses.landmarks.begin(), uses.landmarks.end());
  std::sort(uses.fitted.begin(), uses.fitted.end());
  std::sort(uses.checked.begin(), uses.checked.end());
  return uses;
}

/// Rows of some cells, ascending, out of what the ranks hold, on every rank. Collective.
Matrix rows_of_cells(const Communicator& comm, const Matrix& owned, RowRange rows,
                     const std::vector<std::int32_t>& cells) {
  std::vector<double> values;
  for (const std::int32_t cell : cells)
    if (cell >= rows.begin && cell < rows.end) {
      const auto row = owned.row(cell - rows.begin);
      values.insert(values.end(), row.begin(), row.end());
    }
  Matrix result(static_cast<std::int64_t>(cells.size()), owned.columns);
  result.values = comm.all_gather(std::span<const double>(values));
  return result;
}

/// The core W of D ~ Q W Q^T, symmetric, from the distances between some cells and their rows of Q.
Matrix fitted_core(const Matrix& basis_rows, const Matrix& distances) {
  const Matrix inverse = pseudo_inverse(basis_rows, pseudo_inverse_cut);
  Matrix core = product(product(inverse, distances), transpose(inverse));
  for (std::int64_t i = 0; i < core.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) core(i, j) = core(j, i) = 0.5 * (core(i, j) + core(j, i));
  return core;
}

/// The eigenvectors of the largest absolute eigenvalues, in columns, and those.
Eigensystem leading_part(const Eigensystem& system, std::int64_t rank) {
  std::vector<std::int64_t> order(system.values.size());
  std::iota(order.begin(), order.end(), 0);
  const auto magnitude = [&](std::int64_t k) { return std::abs(system.values[static_cast<std::size_t>(k)]); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return magnitude(a) > magnitude(b); });
  order.resize(static_cast<std::size_t>(std::min<std::int64_t>(rank, static_cast<std::int64_t>(order.size()))));
  Eigensystem leading{{}, Matrix(system.vectors.rows, static_cast<std::int64_t>(order.size()))};
  for (std::int64_t k = 0; k < leading.vectors.columns; ++k) {
    leading.values.push_back(system.values[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
    for (std::int64_t i = 0; i < leading.vectors.rows; ++i)
      leading.vectors(i, k) = system.vectors(i, order[static_cast<std::size_t>(k)]);
  }
  return leading;
}

/// Sum over the rows of all ranks of the squared errors and squares of each checked cell: checked x 2.
Matrix sums_of_squares(const Communicator& comm, const Matrix& distances, const Matrix& checked_u, const Matrix& v,
                       std::int64_t num_rows) {
  const Matrix approximations = product(v, transpose(checked_u));
  double largest = 0.0;
  for (std::size_t at = 0; at < distances.values.size(); ++at)
    largest = std::max({largest, distances.values[at], std::abs(distances.values[at] - approximations.values[at])});
  largest = comm.all_reduce(largest, Reduction::max);
  const FixedPoint form = FixedPoint::for_bound(1.01 * static_cast<double>(num_rows) * largest * largest);
  std::vector<std::int64_t> fixed(static_cast<std::size_t>(2 * distances.columns), 0);
  for (std::int64_t i = 0; i < distances.rows; ++i)
    for (std::int64_t k = 0; k < distances.columns; ++k) {
      const double distance = distances(i, k), error = distance - approximations(i, k);
      fixed[static_cast<std::size_t>(2 * k)] += std::llrint(error * error * form.to_fixed);
      fixed[static_cast<std::size_t>(2 * k + 1)] += std::llrint(distance * distance * form.to_fixed);
    }
  comm.all_reduce(std::span<std::int64_t>(fixed), Reduction::sum);
  Matrix sums(distances.columns, 2);
  for (std::size_t at = 0; at < fixed.size(); ++at) sums.values[at] = static_cast<double>(fixed[at]) * form.to_value;
  return sums;
}

/// The error as a ratio of sums over a sample of rows, and its standard error to first order.
void estimate_error(const Matrix& sums, LandmarkFactor& factor) {
  factor.num_checked = sums.rows;
  factor.error = factor.error_deviation = std::numeric_limits<double>::quiet_NaN();
  double errors = 0.0, squares = 0.0;
  for (std::int64_t k = 0; k < sums.rows; ++k) {
    errors += sums(k, 0);
    squares += sums(k, 1);
  }
  if (sums.rows == 0) return;
  const double ratio = squares > 0.0 ? errors / squares : 0.0, count = static_cast<double>(sums.rows);
  factor.error = std::sqrt(ratio);
  if (sums.rows < 2) return;
  double residuals = 0.0;
  for (std::int64_t k = 0; k < sums.rows; ++k)
    residuals += (sums(k, 0) - ratio * sums(k, 1)) * (sums(k, 0) - ratio * sums(k, 1));
  const double deviation = std::sqrt(residuals / (count - 1.0) / count) / (squares / count);
  factor.error_deviation = factor.error > 0.0 ? deviation / (2.0 * factor.error) : 0.0;
}

double largest_of(const Communicator& comm, const Matrix& a) {
  const double largest = a.values.empty() ? 0.0 : *std::max_element(a.values.begin(), a.values.end());
  return comm.all_reduce(largest, Reduction::max);
}

Matrix scaled_columns(const Matrix& a, const std::vector<double>& factors) {
  Matrix result = a;
  for (std::int64_t i = 0; i < a.rows; ++i)
    for (std::int64_t k = 0; k < a.columns; ++k) result(i, k) *= factors[static_cast<std::size_t>(k)];
  return result;
}

}  // namespace

LandmarkFactor landmark_factor(const Context& context, const Graph& graph, const LandmarkFactorOptions& options) {
  const Communicator& comm = context.comm;
  const CellUses uses = cell_uses(graph, options, context.seed);
  LandmarkFactor factor;
  factor.landmarks = uses.landmarks;
  factor.num_fitted = static_cast<std::int64_t>(uses.fitted.size());
  factor.rows = Partition(graph.num_nodes, comm.size(), block_rows).rows_of(comm.rank());

  const Matrix columns = distances_to(context, graph, factor.rows, uses.landmarks, options.disconnected);
  const Matrix basis = orthonormal_basis(comm, columns, graph.num_nodes);
  const Matrix basis_rows = rows_of_cells(comm, basis, factor.rows, uses.fitted);
  const Matrix distances = distances_between(context, graph, uses.fitted, options.disconnected);

  Eigensystem leading;
  comm.on_root(
      [&] { leading = leading_part(eigensystem_of(fitted_core(basis_rows, distances)), options.factor_rank); });
  broadcast(comm, leading.vectors);
  comm.broadcast(leading.values);
  factor.eigenvalues = leading.values;
  factor.v = product(basis, leading.vectors);
  factor.u = scaled_columns(factor.v, factor.eigenvalues);

  const Matrix checked = distances_to(context, graph, factor.rows, uses.checked, options.disconnected);
  const Matrix checked_u = rows_of_cells(comm, factor.u, factor.rows, uses.checked);
  factor.largest = std::max({largest_of(comm, columns), largest_of(comm, distances), largest_of(comm, checked)});
  estimate_error(sums_of_squares(comm, checked, checked_u, factor.v, graph.num_nodes), factor);
  return factor;
}

}  // namespace thalweg
