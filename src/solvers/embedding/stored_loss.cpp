#include "solvers/embedding/stored_loss.hpp"

#include <algorithm>

#include "kernels/block_rows.hpp"
#include "kernels/host_rows.hpp"
#include "solvers/gromov/row_product.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

template <class Scalar>
OwnedRows<Scalar> owned(const StoredMatrix<Scalar>& a) {
  return {a.num_rows, a.num_columns, a.values, 1.0};
}

template <class Scalar>
StoredMatrix<Scalar> narrowed(std::int64_t num_rows, std::int64_t num_columns, Vector&& values) {
  if constexpr (std::is_same_v<Scalar, double>) return {num_rows, num_columns, std::move(values)};
  else return {num_rows, num_columns, std::vector<Scalar>(values.begin(), values.end())};
}

/// A D, owned rows x cells of D.
template <class Scalar>
StoredMatrix<Scalar> times_costs(const Communicator& comm, const StoredMatrix<Scalar>& a, const StoredIntraCosts& d,
                                 Device device) {
  return narrowed<Scalar>(a.num_rows, d.num_cells,
                          std::visit(
                              [&]<class Value>(std::span<const Value> values) {
                                const OwnedRows<Value> costs{d.num_cells, d.num_cells, values, d.divisor};
                                return product_of_rows<Scalar>(comm, owned(a), costs, device);
                              },
                              d.values));
}

/// D A.
template <class Scalar>
Vector costs_times(const Communicator& comm, const StoredIntraCosts& d, const StoredMatrix<Scalar>& a, Device device) {
  return std::visit(
      [&]<class Value>(std::span<const Value> values) {
        const OwnedRows<Value> costs{d.num_cells, d.num_cells, values, d.divisor};
        return product_of_rows<Scalar>(comm, costs, owned(a), device);
      },
      d.values);
}

/// sum over owned i and all k of term(i, k), then over ranks.
template <class Term>
double sum_over_pairs(const Communicator& comm, std::int64_t rows, std::int64_t columns, const Term& term) {
  Vector sums(static_cast<std::size_t>(rows), 0.0);
  for_each_row_on_host(rows, [&](std::int64_t i) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < columns; ++k) sum += term(i, k);
    sums[static_cast<std::size_t>(i)] = sum;
  });
  return ordered_sum(comm, sums);
}

/// Calls use(cost(i, k)) with the costs of owned rows as numbers.
template <class Use>
auto with_costs(const StoredIntraCosts& d, const Use& use) {
  return std::visit(
      [&](const auto& values) {
        const double factor = 1.0 / d.divisor;
        const auto* from = values.data();
        return use([=, count = d.num_cells](std::int64_t i, std::int64_t k) {
          return factor * static_cast<double>(from[i * count + k]);
        });
      },
      d.values);
}

template <class Scalar>
StoredMatrix<Scalar> divided_rows(const StoredMatrix<Scalar>& a, std::span<const double> divisors) {
  StoredMatrix<Scalar> result = a;
  for_each_row_on_host(a.own_rows(), [&](std::int64_t i) {
    const double p = divisors[static_cast<std::size_t>(i)];
    const auto factor = static_cast<Scalar>(p > 0.0 ? 1.0 / p : 0.0);
    for (Scalar& value : result.row(i)) value *= factor;
  });
  return result;
}

}  // namespace

SquaredCosts::SquaredCosts(const Communicator& comm, std::vector<double> terms, RowRange rows,
                           std::span<const double> weights)
    : terms_(std::move(terms)) {
  Vector products(terms_);
  for (std::size_t i = 0; i < products.size(); ++i) products[i] *= weights[static_cast<std::size_t>(rows.begin) + i];
  value_ = ordered_sum(comm, products);
}

double SquaredCosts::at(const Communicator& comm, std::span<const double> p) const {
  Vector products(terms_);
  for (std::size_t i = 0; i < products.size(); ++i) products[i] *= 2.0 * p[i];
  return ordered_sum(comm, products) - value_;
}

std::vector<double> squared_cost_terms(const StoredIntraCosts& costs, std::span<const double> weights) {
  const std::int64_t n = costs.num_cells;
  const auto rows =
      std::visit([&](const auto& values) { return static_cast<std::int64_t>(values.size()) / n; }, costs.values);
  Vector terms(static_cast<std::size_t>(rows), 0.0);
  with_costs(costs, [&](const auto& cost) {
    for_each_row_on_host(rows, [&](std::int64_t i) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < n; ++k) sum += cost(i, k) * cost(i, k) * weights[static_cast<std::size_t>(k)];
      terms[static_cast<std::size_t>(i)] = sum;
    });
  });
  return terms;
}

template <class Scalar>
StoredLoss<Scalar>::StoredLoss(const Context& context, const StoredIntraCosts& x, const StoredIntraCosts& y,
                               const EmbeddingLossSettings& settings)
    : x_(x), y_(y), kind_(settings.loss), device_(context.device), rows_(own_points(x.num_cells, context.comm)) {
  if (kind_ == EmbeddingLossKind::gw) return;
  const bool is_rank = kind_ == EmbeddingLossKind::rank;
  columns_ = ranked_columns(x.num_cells, is_rank ? num_ranked_columns(settings, x.num_cells) : x.num_cells, context.seed);
  if (!is_rank) return;
  const auto c = static_cast<std::int64_t>(columns_.size());
  Vector rows(static_cast<std::size_t>(rows_.size() * c));
  with_costs(x_, [&](const auto& cost) {
    for (std::int64_t i = 0; i < rows_.size(); ++i)
      for (std::int64_t k = 0; k < c; ++k)
        rows[static_cast<std::size_t>(i * c + k)] = cost(i, columns_[static_cast<std::size_t>(k)]);
  });
  ranks_ = RankRows(settings.delta, x.num_cells, c, rows);
}

template <class Scalar>
typename StoredLoss<Scalar>::Result StoredLoss<Scalar>::evaluate_gw(const Communicator& comm, const Matrix& coupling,
                                                                    bool with_gradient) const {
  Vector product = costs_times(comm, x_, times_costs(comm, coupling, y_, device_), device_);
  const std::int64_t m = coupling.num_columns;
  Result result;
  result.cross = sum_over_pairs(comm, coupling.own_rows(), m, [&](std::int64_t i, std::int64_t j) {
    const auto at = static_cast<std::size_t>(i * m + j);
    return product[at] * static_cast<double>(coupling.values[at]);
  });
  if (!with_gradient) return result;
  for_each_piece_on_host(static_cast<std::int64_t>(product.size()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) product[static_cast<std::size_t>(k)] *= -4.0;
  });
  result.gradient = narrowed<Scalar>(coupling.num_rows, m, std::move(product));
  return result;
}

/// Columns of A that were chosen.
template <class Scalar>
StoredMatrix<Scalar> StoredLoss<Scalar>::chosen(Matrix a) const {
  const auto c = static_cast<std::int64_t>(columns_.size());
  if (c == a.num_columns) return a;
  Matrix result{a.num_rows, c, {}};
  result.values.reserve(static_cast<std::size_t>(a.own_rows() * c));
  for (std::int64_t i = 0; i < a.own_rows(); ++i)
    for (const std::int64_t column : columns_) result.values.push_back(a.row(i)[static_cast<std::size_t>(column)]);
  return result;
}

template <class Scalar>
void StoredLoss<Scalar>::compare(const Communicator& comm, const Vector& m, Matrix& cotangent, Result& result) const {
  const auto n = static_cast<double>(x_.num_cells);
  const auto c = static_cast<std::int64_t>(columns_.size());
  Vector losses(static_cast<std::size_t>(rows_.size()));
  std::vector<std::int32_t> blocks(losses.size());
  cotangent = {x_.num_cells, c, std::vector<Scalar>(m.size())};
  with_costs(x_, [&](const auto& cost) {
    for_each_row_on_host(rows_.size(), [&](std::int64_t i) {
      const std::span<const double> z(m.data() + i * c, static_cast<std::size_t>(c));
      Vector pulled(z.size());
      if (kind_ == EmbeddingLossKind::rank) {
        const RankRows::Row row = ranks_.evaluate(i, z, pulled);
        losses[static_cast<std::size_t>(i)] = row.loss;
        blocks[static_cast<std::size_t>(i)] = row.blocks;
      } else {
        double sum = 0.0;
        for (std::int64_t k = 0; k < c; ++k) {
          const double difference = z[static_cast<std::size_t>(k)] - cost(i, k);
          sum += difference * difference;
          pulled[static_cast<std::size_t>(k)] = 2.0 * difference / (n * n);
        }
        losses[static_cast<std::size_t>(i)] = sum / (n * n);
      }
      std::copy(pulled.begin(), pulled.end(), cotangent.row(i).begin());
    });
  });
  result.loss = ordered_sum(comm, losses);
  if (kind_ == EmbeddingLossKind::rank) result.ranks = rank_statistics(comm, blocks);
}

/// dL/dQ = Y B_S + E_S Y^T B, B = Q D_Y, over p; where all columns are chosen and Y is symmetric twice the first.
template <class Scalar>
StoredMatrix<Scalar> StoredLoss<Scalar>::row_gradient(const Communicator& comm, const Matrix& cotangent,
                                                      const Matrix& b, std::span<const double> p) const {
  const auto c = static_cast<std::int64_t>(columns_.size());
  const bool is_full = c == x_.num_cells;
  Matrix of_chosen{c, b.num_columns, {}};  // B_S
  if (!is_full) {
    std::vector<Scalar> mine;
    for (const std::int64_t row : columns_)
      if (row >= rows_.begin && row < rows_.end) {
        const auto values = b.row(row - rows_.begin);
        mine.insert(mine.end(), values.begin(), values.end());
      }
    const std::vector<Scalar> all = comm.all_gather(std::span<const Scalar>(mine));
    const RowRange part = Partition(c, comm.size(), block_rows).rows_of(comm.rank());
    of_chosen.values.assign(all.begin() + part.begin * b.num_columns, all.begin() + part.end * b.num_columns);
  }
  Vector gradient = product_of_rows<Scalar>(comm, owned(cotangent), owned(is_full ? b : of_chosen), device_);
  if (kind_ == EmbeddingLossKind::frob) {
    for (double& value : gradient) value *= 2.0;
  } else {
    Vector second = product_of_rows<Scalar>(comm, owned(transposed(comm, cotangent)), owned(b), device_);
    if (!is_full) second = comm.all_gather(std::span<const double>(second));
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      const std::int64_t row = columns_[k];
      if (row < rows_.begin || row >= rows_.end) continue;
      const std::int64_t from = is_full ? row - rows_.begin : static_cast<std::int64_t>(k);
      for (std::int64_t j = 0; j < b.num_columns; ++j)
        gradient[static_cast<std::size_t>((row - rows_.begin) * b.num_columns + j)] +=
            second[static_cast<std::size_t>(from * b.num_columns + j)];
    }
  }
  return divided_rows(narrowed<Scalar>(x_.num_cells, b.num_columns, std::move(gradient)), p);
}

/// <D_X P D_Y, P>: of M where it is whole, else by one more product.
template <class Scalar>
double StoredLoss<Scalar>::cross(const Communicator& comm, const Matrix& b, const Vector& m, const Matrix& coupling,
                                 std::span<const double> p) const {
  const std::int64_t n = x_.num_cells;
  if (static_cast<std::int64_t>(columns_.size()) == n) {
    const Vector all = comm.all_gather(p);
    return with_costs(x_, [&](const auto& cost) {
      return sum_over_pairs(comm, rows_.size(), n, [&](std::int64_t i, std::int64_t k) {
        return cost(i, k) * p[static_cast<std::size_t>(i)] * all[static_cast<std::size_t>(k)] *
               m[static_cast<std::size_t>(i * n + k)];
      });
    });
  }
  Matrix weighted = b;  // P D_Y
  for (std::int64_t i = 0; i < weighted.own_rows(); ++i)
    for (Scalar& value : weighted.row(i)) value *= static_cast<Scalar>(p[static_cast<std::size_t>(i)]);
  const Vector product = costs_times(comm, x_, weighted, device_);
  return sum_over_pairs(comm, rows_.size(), b.num_columns, [&](std::int64_t i, std::int64_t j) {
    const auto at = static_cast<std::size_t>(i * b.num_columns + j);
    return product[at] * static_cast<double>(coupling.values[at]);
  });
}

template <class Scalar>
typename StoredLoss<Scalar>::Result StoredLoss<Scalar>::evaluate(const Communicator& comm, const Matrix& coupling,
                                                                 std::span<const double> p, bool with_gradient) const {
  if (kind_ == EmbeddingLossKind::gw) return evaluate_gw(comm, coupling, with_gradient);
  const Matrix q = divided_rows(coupling, p);
  const Matrix b = times_costs(comm, q, y_, device_);
  const Vector m = product_of_rows<Scalar>(comm, owned(b), owned(chosen(transposed(comm, q))), device_);
  Result result;
  Matrix cotangent;
  compare(comm, m, cotangent, result);
  result.cross = cross(comm, b, m, coupling, p);
  if (with_gradient) result.gradient = row_gradient(comm, cotangent, b, p);
  return result;
}

template class StoredLoss<float>;
template class StoredLoss<double>;

}  // namespace thalweg
