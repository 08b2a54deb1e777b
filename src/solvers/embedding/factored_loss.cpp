#include "solvers/embedding/factored_loss.hpp"

#include <algorithm>

#include "geometry/row_gram.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/host_rows.hpp"
#include "solvers/gromov/fused_terms.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

/// Centred points and what squared distances are of them.
void set_squared(const Matrix& points, double divisor, IntraFactor& factor) {
  const std::int64_t n = points.rows, d = points.columns;
  Vector mean(static_cast<std::size_t>(d), 0.0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < d; ++k) mean[static_cast<std::size_t>(k)] += points(i, k) / static_cast<double>(n);
  factor.v = Matrix(n, d + 2);
  factor.core = Matrix(d + 2, d + 2);
  for (std::int64_t i = 0; i < n; ++i) {
    double square = 0.0;
    for (std::int64_t k = 0; k < d; ++k) {
      factor.v(i, k) = points(i, k) - mean[static_cast<std::size_t>(k)];
      square += factor.v(i, k) * factor.v(i, k);
    }
    factor.v(i, d) = square;
    factor.v(i, d + 1) = 1.0;
  }
  for (std::int64_t k = 0; k < d; ++k) factor.core(k, k) = -2.0 / divisor;
  factor.core(d, d + 1) = factor.core(d + 1, d) = 1.0 / divisor;
}

Matrix gram_of(const Communicator& comm, std::span<const double> a, std::int64_t a_width, std::span<const double> b,
               std::int64_t b_width, std::int64_t num_rows) {
  const auto rows = static_cast<std::int64_t>(a.size()) / a_width;
  return products_of_rows(comm, {a, rows, a_width, a_width}, {b, rows, b_width, b_width}, num_rows);
}

double inner(const Matrix& a, const Matrix& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.values.size(); ++k) sum += a.values[k] * b.values[k];
  return sum;
}

/// A M of rows A, row by row.
Matrix rows_times(std::span<const double> rows, const Matrix& m) {
  Matrix result(static_cast<std::int64_t>(rows.size()) / m.rows, m.columns);
  for_each_piece_on_host(result.rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t k = 0; k < m.rows; ++k) {
        const double entry = rows[static_cast<std::size_t>(i * m.rows + k)];
        for (std::int64_t l = 0; l < m.columns; ++l) result(i, l) += entry * m(k, l);
      }
  });
  return result;
}

Matrix scaled(Matrix m, double factor) {
  for (double& value : m.values) value *= factor;
  return m;
}

Matrix rows_over(std::span<const double> rows, std::int64_t width, std::span<const double> divisors) {
  Matrix result(static_cast<std::int64_t>(rows.size()) / width, width);
  for (std::int64_t i = 0; i < result.rows; ++i) {
    const double p = divisors[static_cast<std::size_t>(i)], factor = p > 0.0 ? 1.0 / p : 0.0;
    for (std::int64_t k = 0; k < width; ++k) result(i, k) = factor * rows[static_cast<std::size_t>(i * width + k)];
  }
  return result;
}

/// Rows of all ranks among `wanted`, ascending. Collective.
Matrix chosen_rows(const Communicator& comm, const Matrix& own, RowRange rows,
                   const std::vector<std::int64_t>& wanted) {
  Vector mine;
  for (const std::int64_t row : wanted)
    if (row >= rows.begin && row < rows.end) {
      const auto values = own.row(row - rows.begin);
      mine.insert(mine.end(), values.begin(), values.end());
    }
  Matrix result(static_cast<std::int64_t>(wanted.size()), own.columns);
  result.values = comm.all_gather(std::span<const double>(mine));
  return result;
}

/// A row of A B^T.
void row_against(const double* row, const Matrix& b, Vector& out) {
  for (std::int64_t k = 0; k < b.rows; ++k) {
    double sum = 0.0;
    for (std::int64_t l = 0; l < b.columns; ++l) sum += row[l] * b(k, l);
    out[static_cast<std::size_t>(k)] = sum;
  }
}

}  // namespace

IntraFactor intra_factor(const Communicator& comm, const IntraCosts& costs, const std::string& side) {
  IntraFactor factor;
  comm.on_all([&] {
    if (const auto* squared = std::get_if<SquaredDistances>(&costs)) {
      set_squared(finite_points(squared->points, side), squared->divisor, factor);
    } else {
      const auto& given = std::get<FactoredCosts>(costs);
      factor.v = finite_points(given.factor, side);
      factor.core = Matrix(factor.v.columns, factor.v.columns);
      for (std::int64_t k = 0; k < factor.v.columns; ++k)
        factor.core(k, k) = given.diagonal[static_cast<std::size_t>(k)] / given.divisor;
    }
  });
  factor.rows = own_points(factor.v.rows, comm);
  factor.gram = gram_of(comm, factor.own(), factor.v.columns, factor.own(), factor.v.columns, factor.v.rows);
  const Matrix moment = product(factor.core, factor.gram);
  if (!(inner(moment, transpose(moment)) > 0.0))
    throw DataError("the costs within the " + side + " side are all equal; cells must differ to be aligned");
  return factor;
}

std::vector<double> squared_cost_terms(const IntraFactor& factor, std::span<const double> weights) {
  const std::int64_t n = factor.v.rows, r = factor.v.columns;
  Matrix moment(r, r);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < r; ++k) {
      const double entry = weights[static_cast<std::size_t>(i)] * factor.v(i, k);
      for (std::int64_t l = 0; l < r; ++l) moment(k, l) += entry * factor.v(i, l);
    }
  const Matrix square = product(product(factor.core, moment), factor.core);
  const Matrix left = rows_times(factor.own(), square);
  Vector terms(static_cast<std::size_t>(left.rows), 0.0);
  for (std::int64_t i = 0; i < left.rows; ++i)
    for (std::int64_t k = 0; k < r; ++k)
      terms[static_cast<std::size_t>(i)] += left(i, k) * factor.v(factor.rows.begin + i, k);
  return terms;
}

FactoredLoss::FactoredLoss(const IntraFactor& x, const IntraFactor& y, const EmbeddingLossSettings& settings,
                           std::uint64_t seed)
    : x_(x), y_(y), kind_(settings.loss) {
  if (kind_ != EmbeddingLossKind::rank) return;
  columns_ = ranked_columns(x.v.rows, num_ranked_columns(settings, x.v.rows), seed);
  const auto c = static_cast<std::int64_t>(columns_.size());
  const Matrix left = rows_times(x.own(), x.core);
  Matrix chosen(c, x.v.columns);
  for (std::int64_t k = 0; k < c; ++k) {
    const auto row = x.v.row(columns_[static_cast<std::size_t>(k)]);
    std::copy(row.begin(), row.end(), chosen.row(k).begin());
  }
  Vector rows(static_cast<std::size_t>(left.rows * c));
  for_each_row_on_host(left.rows, [&](std::int64_t i) {
    Vector row(static_cast<std::size_t>(c));
    row_against(left.row(i).data(), chosen, row);
    std::copy(row.begin(), row.end(), rows.begin() + i * c);
  });
  ranks_ = RankRows(settings.delta, x.v.rows, c, rows);
}

/// With S = V_X^T B and M = B K_Y B^T:
///   |D_X - M|^2 = tr((K_X G)^2) - 2 <K_X S K_Y, S> + tr((K_Y B^T B)^2),
///   dL/dQ = -(4 / n^2) (V_X K_X S - B K_Y B^T B) K_Y V_Y^T
Matrix FactoredLoss::evaluate_frob(const Communicator& comm, const Matrix& b, Result& result) const {
  const double n = static_cast<double>(x_.v.rows);
  const Matrix moments = gram_of(comm, x_.own(), x_.v.columns, b.values, b.columns, x_.v.rows);
  const Matrix gram = gram_of(comm, b.values, b.columns, b.values, b.columns, x_.v.rows);
  const Matrix of_x = product(x_.core, x_.gram), of_b = product(y_.core, gram);
  const Matrix left = product(product(x_.core, moments), y_.core);
  result.loss = (inner(of_x, transpose(of_x)) - 2.0 * inner(left, moments) + inner(of_b, transpose(of_b))) / (n * n);
  Matrix rows = rows_times(x_.own(), scaled(left, -4.0 / (n * n)));
  const Matrix second = rows_times(b.values, scaled(product(of_b, y_.core), 4.0 / (n * n)));
  for (std::size_t k = 0; k < rows.values.size(); ++k) rows.values[k] += second.values[k];
  return rows;
}

/// With M_S = B K_Y B_S^T and Y = dL/dM_S: dL/dQ = (Y B_S + E_S Y^T B) K_Y V_Y^T.
Matrix FactoredLoss::evaluate_rank(const Communicator& comm, const Matrix& b, Result& result) const {
  const auto c = static_cast<std::int64_t>(columns_.size());
  const Matrix chosen = chosen_rows(comm, b, x_.rows, columns_), left = rows_times(b.values, y_.core);
  const std::int64_t width = b.columns, blocks = (b.rows + block_rows - 1) / block_rows;
  Vector losses(static_cast<std::size_t>(b.rows));
  std::vector<std::int32_t> pooled(losses.size());
  Matrix first(b.rows, width);
  std::vector<Matrix> turned(static_cast<std::size_t>(blocks));  // Y^T B of each block of rows
  for_each_row_on_host(blocks, [&](std::int64_t block) {
    Matrix& of_block = turned[static_cast<std::size_t>(block)] = Matrix(c, width);
    Vector z(static_cast<std::size_t>(c)), cotangent(z.size());
    for (std::int64_t i = block * block_rows; i < std::min<std::int64_t>(b.rows, (block + 1) * block_rows); ++i) {
      row_against(left.row(i).data(), chosen, z);
      const RankRows::Row row = ranks_.evaluate(i, z, cotangent);
      losses[static_cast<std::size_t>(i)] = row.loss;
      pooled[static_cast<std::size_t>(i)] = row.blocks;
      for (std::int64_t k = 0; k < c; ++k) {
        const double y = cotangent[static_cast<std::size_t>(k)];
        for (std::int64_t l = 0; l < width; ++l) {
          first(i, l) += y * chosen(k, l);
          of_block(k, l) += y * b(i, l);
        }
      }
    }
  });
  Vector sums;
  for (const Matrix& of_block : turned) sums.insert(sums.end(), of_block.values.begin(), of_block.values.end());
  const Vector all = comm.all_gather(std::span<const double>(sums));
  Matrix second(c, width);
  for (std::size_t k = 0; k < all.size(); ++k) second.values[k % second.values.size()] += all[k];
  for (std::int64_t k = 0; k < c; ++k) {
    const std::int64_t row = columns_[static_cast<std::size_t>(k)];
    if (row < x_.rows.begin || row >= x_.rows.end) continue;
    for (std::int64_t l = 0; l < width; ++l) first(row - x_.rows.begin, l) += second(k, l);
  }
  result.loss = ordered_sum(comm, losses);
  result.ranks = rank_statistics(comm, pooled);
  return rows_times(first.values, y_.core);
}

/// With T = V_X^T P V_Y: <D_X P D_Y, P> = <K_X T K_Y, T>, and for gw G = -4 V_X K_X T K_Y V_Y^T.
FactoredLoss::Result FactoredLoss::evaluate(const Communicator& comm, std::span<const double> applied,
                                            std::span<const double> p, bool with_gradient) const {
  const std::int64_t width = y_.v.columns;
  Result result;
  const Matrix moments = gram_of(comm, x_.own(), x_.v.columns, applied, width, x_.v.rows);
  const Matrix core = product(product(x_.core, moments), y_.core);
  result.cross = inner(core, moments);
  if (kind_ == EmbeddingLossKind::gw) {
    if (with_gradient) result.rows = rows_times(x_.own(), scaled(core, -4.0)).values;
    return result;
  }
  const Matrix b = rows_over(applied, width, p);
  const Matrix rows =
      kind_ == EmbeddingLossKind::frob ? evaluate_frob(comm, b, result) : evaluate_rank(comm, b, result);
  if (with_gradient) result.rows = rows_over(rows.values, width, p).values;
  return result;
}

}  // namespace thalweg
