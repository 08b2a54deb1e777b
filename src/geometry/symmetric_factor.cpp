#include "geometry/symmetric_factor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "distributed/error.hpp"
#include "geometry/row_gram.hpp"

namespace thalweg {

namespace {

TallRows all_columns(const Matrix& a) { return {a.values, a.rows, a.columns, a.columns}; }

Matrix products(const Communicator& comm, const Matrix& a, const Matrix& b, std::int64_t num_rows) {
  return products_of_rows(comm, all_columns(a), all_columns(b), num_rows);
}

/// Columns of U divided, those of V multiplied, by what makes them equally long.
void balance_columns(const Communicator& comm, std::int64_t num_rows, Matrix& u, Matrix& v) {
  const Matrix of_u = gram_of_rows(comm, u, num_rows), of_v = gram_of_rows(comm, v, num_rows);
  for (std::int64_t k = 0; k < u.columns; ++k) {
    const double factor = std::pow(of_u(k, k) / of_v(k, k), 0.25);
    if (!(factor > 0.0) || !std::isfinite(factor)) continue;
    for (std::int64_t i = 0; i < u.rows; ++i) {
      u(i, k) /= factor;
      v(i, k) *= factor;
    }
  }
}

/// x^T A y
double form_of(std::span<const double> x, const Matrix& a, std::span<const double> y) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < a.rows; ++k) {
    double inner = 0.0;
    for (std::int64_t l = 0; l < a.columns; ++l) inner += a(k, l) * y[static_cast<std::size_t>(l)];
    sum += x[static_cast<std::size_t>(k)] * inner;
  }
  return sum;
}

}  // namespace

SymmetricFactor symmetric_factor(const Communicator& comm, const Matrix& u, const Matrix& v, std::int64_t num_rows) {
  Matrix left = u, right = v;
  balance_columns(comm, num_rows, left, right);
  const Matrix basis = orthonormal_basis(comm, left, num_rows);
  Matrix core = product(products(comm, basis, left, num_rows), transpose(products(comm, basis, right, num_rows)));
  for (std::int64_t i = 0; i < core.rows; ++i)
    for (std::int64_t j = 0; j < i; ++j) core(i, j) = core(j, i) = 0.5 * (core(i, j) + core(j, i));
  Eigensystem system;
  comm.on_root([&] { system = eigensystem_of(core); });
  broadcast(comm, system.vectors);
  comm.broadcast(system.values);
  return {product(basis, system.vectors), std::move(system.values)};
}

/// |u_i V^T - v_i U^T|^2 = u_i V^T V u_i - 2 u_i V^T U v_i + v_i U^T U v_i
std::int64_t first_asymmetric_row(const Communicator& comm, const Matrix& u, const Matrix& v, std::int64_t first_row,
                                  std::int64_t num_rows, double tolerance) {
  Matrix left = u, right = v;
  balance_columns(comm, num_rows, left, right);
  const Matrix of_u = gram_of_rows(comm, left, num_rows), of_v = gram_of_rows(comm, right, num_rows);
  const Matrix mixed = products(comm, right, left, num_rows);
  std::vector<double> squares;
  double longest = 0.0;
  for (std::int64_t i = 0; i < u.rows; ++i) {
    const auto x = left.row(i), y = right.row(i);
    const double row = form_of(x, of_v, x), column = form_of(y, of_u, y);
    squares.push_back(row + column - 2.0 * form_of(x, mixed, y));
    longest = std::max({longest, row, column});
  }
  longest = comm.all_reduce(longest, Reduction::max);
  constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();
  const auto found = std::find_if(squares.begin(), squares.end(),
                                  [&](double square) { return square > tolerance * tolerance * longest; });
  const std::int64_t row =
      comm.all_reduce(found == squares.end() ? none : first_row + (found - squares.begin()), Reduction::min);
  return row == none ? -1 : row;
}

}  // namespace thalweg
