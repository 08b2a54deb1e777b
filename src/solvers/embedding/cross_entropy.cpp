#include "solvers/embedding/cross_entropy.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/block_rows.hpp"
#include "kernels/host_rows.hpp"
#include "solvers/embedding/cost_points.hpp"
#include "solvers/embedding/unit_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

constexpr double lowest = -std::numeric_limits<double>::infinity();

/// Both sides as the cost reads them.
struct Points {
  std::vector<double> x, y;  // owned sources and all targets, rows x dim
  std::vector<double> x_squares, y_squares;
  std::int64_t dim = 0;
  EmbeddingCost cost = EmbeddingCost::cosine;
  double scale = 1.0;

  std::int64_t num_columns() const { return static_cast<std::int64_t>(y.size()) / dim; }
};

std::vector<double> squares_of(const std::vector<double>& rows, std::int64_t dim) {
  std::vector<double> squares(rows.size() / static_cast<std::size_t>(dim), 0.0);
  for (std::size_t at = 0; at < rows.size(); ++at) squares[at / static_cast<std::size_t>(dim)] += rows[at] * rows[at];
  return squares;
}

/// S of some rows, rows x columns.
std::vector<double> logits(const Points& points, RowRange rows, double tau) {
  const std::int64_t m = points.num_columns(), h = points.dim;
  const bool is_cosine = points.cost == EmbeddingCost::cosine;
  const double factor = is_cosine ? 1.0 / tau : 2.0 / (points.scale * tau);
  std::vector<double> s(static_cast<std::size_t>(rows.size() * m), -1.0 / tau);
  for (std::int64_t i = 0; i < rows.size() && !is_cosine; ++i)
    for (std::int64_t j = 0; j < m; ++j)
      s[static_cast<std::size_t>(i * m + j)] = -0.5 * factor *
                                               (points.x_squares[static_cast<std::size_t>(rows.begin + i)] +
                                                points.y_squares[static_cast<std::size_t>(j)]);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows.size()), static_cast<int>(m),
              static_cast<int>(h), factor, points.x.data() + rows.begin * h, static_cast<int>(h), points.y.data(),
              static_cast<int>(h), 1.0, s.data(), static_cast<int>(m));
  return s;
}

/// log sum_j exp s_j
double log_sum(const double* s, std::int64_t count) {
  const double largest = *std::max_element(s, s + count);
  double sum = 0.0;
  for (std::int64_t j = 0; j < count; ++j) sum += std::exp(s[j] - largest);
  return largest + std::log(sum);
}

RowRange rows_of_block(std::int64_t block, std::int64_t rows) {
  return {block * block_rows, std::min(rows, (block + 1) * block_rows)};
}

/// Logarithms of the sums of exp S along rows and, over all ranks, columns.
struct LogSums {
  std::vector<double> rows, columns;
};

/// log sum of exponentials over blocks, in their order.
std::vector<double> log_sums_of_blocks(const std::vector<double>& blocks, std::size_t m) {
  std::vector<double> largest(m, lowest), sums(m, 0.0);
  for (std::size_t at = 0; at < blocks.size(); ++at) largest[at % m] = std::max(largest[at % m], blocks[at]);
  for (std::size_t at = 0; at < blocks.size(); ++at) sums[at % m] += std::exp(blocks[at] - largest[at % m]);
  for (std::size_t j = 0; j < m; ++j) sums[j] = largest[j] + std::log(sums[j]);
  return sums;
}

LogSums log_sums(const Communicator& comm, const Points& points, std::int64_t rows, double tau) {
  const std::int64_t m = points.num_columns(), blocks = (rows + block_rows - 1) / block_rows;
  LogSums result{std::vector<double>(static_cast<std::size_t>(rows)), {}};
  std::vector<double> columns(static_cast<std::size_t>(blocks * m));
  for_each_row_on_host(blocks, [&](std::int64_t block) {
    const RowRange own = rows_of_block(block, rows);
    const std::vector<double> s = logits(points, own, tau);
    std::vector<double> largest(static_cast<std::size_t>(m), lowest), sums(static_cast<std::size_t>(m), 0.0);
    for (std::int64_t i = 0; i < own.size(); ++i)
      for (std::size_t j = 0; j < sums.size(); ++j)
        largest[j] = std::max(largest[j], s[static_cast<std::size_t>(i * m) + j]);
    for (std::int64_t i = 0; i < own.size(); ++i) {
      result.rows[static_cast<std::size_t>(own.begin + i)] = log_sum(s.data() + i * m, m);
      for (std::size_t j = 0; j < sums.size(); ++j)
        sums[j] += std::exp(s[static_cast<std::size_t>(i * m) + j] - largest[j]);
    }
    for (std::size_t j = 0; j < sums.size(); ++j)
      columns[static_cast<std::size_t>(block * m) + j] = largest[j] + std::log(sums[j]);
  });
  result.columns = log_sums_of_blocks(comm.all_gather(std::span<const double>(columns)), static_cast<std::size_t>(m));
  return result;
}

/// Turns S of some rows into dL/dC and returns the terms -2 sum_j P*_ij S_ij of the loss.
struct Derivative {
  const TargetCoupling& coupling;
  const LogSums& sums;
  const std::vector<double>& p;
  const std::vector<double>& q;
  double tau = 0.1;

  std::vector<double> operator()(RowRange rows, std::vector<double>& s) const {
    const std::size_t m = q.size();
    std::vector<double> terms;
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      const auto row = static_cast<std::size_t>(i);
      double* own = s.data() + static_cast<std::size_t>(i - rows.begin) * m;
      const double* mass = coupling.mass.data() + row * m;
      double term = 0.0;
      for (std::size_t j = 0; j < m; ++j) {
        term -= 2.0 * mass[j] * own[j];
        const double by_row = p[row] * std::exp(own[j] - sums.rows[row]);
        const double by_column = q[j] * std::exp(own[j] - sums.columns[j]);
        own[j] = (2.0 * mass[j] - by_row - by_column) / tau;
      }
      terms.push_back(term + p[row] * sums.rows[row]);
    }
    return terms;
  }
};

/// A <- A + factor op(G) B with G rows x columns.
void add_product(const std::vector<double>& g, bool transposed, const double* b, RowRange rows, std::int64_t m,
                 std::int64_t h, double* a) {
  cblas_dgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans,
              static_cast<int>(transposed ? m : rows.size()), static_cast<int>(h),
              static_cast<int>(transposed ? rows.size() : m), -1.0, g.data(), static_cast<int>(m), b,
              static_cast<int>(h), 1.0, a, static_cast<int>(h));
}

/// Adds the derivatives of C by its points: -G Y and -G^T X for the cosine, 2 / scale (diag(G 1) X - G Y) for squares.
void add_gradients(const Points& points, RowRange rows, std::vector<double> g, double* by_x, double* by_y) {
  const std::int64_t m = points.num_columns(), h = points.dim;
  const double* x = points.x.data() + rows.begin * h;
  if (points.cost == EmbeddingCost::sq_euclidean) {
    for (double& value : g) value *= 2.0 / points.scale;
    for (std::int64_t i = 0; i < rows.size(); ++i)
      for (std::int64_t j = 0; j < m; ++j) {
        const double value = g[static_cast<std::size_t>(i * m + j)];
        for (std::int64_t k = 0; k < h; ++k) {
          by_x[i * h + k] += value * x[i * h + k];
          by_y[j * h + k] += value * points.y[static_cast<std::size_t>(j * h + k)];
        }
      }
  }
  add_product(g, false, points.y.data(), rows, m, h, by_x);
  add_product(g, true, x, rows, m, h, by_y);
}

}  // namespace

CrossEntropyFit::CrossEntropyFit(const Communicator& comm, const TargetCoupling& coupling, std::int64_t dim, double tau)
    : comm_(comm), coupling_(coupling), dim_(dim), tau_(tau) {
  const std::size_t m = coupling.targets.size(), rows = coupling.mass.size() / m;
  p_.assign(rows, 0.0);
  for (std::size_t at = 0; at < coupling.mass.size(); ++at) p_[at / m] += coupling.mass[at];
  q_ = ordered_sums(comm, coupling.mass, m);
}

CrossEntropy CrossEntropyFit::evaluate(std::span<const double> source, std::span<const double> target,
                                       EmbeddingCost cost, double scale) const {
  const bool is_cosine = cost == EmbeddingCost::cosine;
  const std::vector<double> all_targets = comm_.all_gather(target);
  Points points{{source.begin(), source.end()}, all_targets, {}, {}, dim_, cost, scale};
  if (is_cosine) points.x = unit_rows(source, dim_);
  if (is_cosine) points.y = unit_rows(all_targets, dim_);
  points.x_squares = squares_of(points.x, dim_);
  points.y_squares = squares_of(points.y, dim_);
  const auto rows = static_cast<std::int64_t>(p_.size());
  const auto m = static_cast<std::int64_t>(q_.size()), blocks = (rows + block_rows - 1) / block_rows;
  const LogSums sums = log_sums(comm_, points, rows, tau_);
  const Derivative derivative{coupling_, sums, p_, q_, tau_};

  std::vector<double> terms(p_.size()), by_x(source.size(), 0.0);
  std::vector<double> by_y(static_cast<std::size_t>(blocks * m * dim_), 0.0);
  for_each_row_on_host(blocks, [&](std::int64_t block) {
    const RowRange own = rows_of_block(block, rows);
    std::vector<double> s = logits(points, own, tau_);
    const std::vector<double> own_terms = derivative(own, s);
    std::copy(own_terms.begin(), own_terms.end(), terms.begin() + own.begin);
    add_gradients(points, own, std::move(s), by_x.data() + own.begin * dim_, by_y.data() + block * m * dim_);
  });

  CrossEntropy result;
  result.value = ordered_sum(comm_, terms);
  for (std::size_t j = 0; j < q_.size(); ++j) result.value += q_[j] * sums.columns[j];
  const std::vector<double> all_blocks = comm_.all_gather(std::span<const double>(by_y));
  std::vector<double> of_targets(static_cast<std::size_t>(m * dim_), 0.0);
  for (std::size_t at = 0; at < all_blocks.size(); ++at) of_targets[at % of_targets.size()] += all_blocks[at];
  result.source_gradient = embedding_gradient(cost, dim_, source, std::move(by_x));
  of_targets = embedding_gradient(cost, dim_, all_targets, std::move(of_targets));
  const RowRange own = own_points(m, comm_);
  result.target_gradient.assign(of_targets.begin() + own.begin * dim_, of_targets.begin() + own.end * dim_);
  return result;
}

}  // namespace thalweg
