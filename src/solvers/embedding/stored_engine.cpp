// P and G in full, as the costs within the sides are.
#include <cmath>

#include "kernels/host_rows.hpp"
#include "solvers/embedding/stored_loss.hpp"
#include "solvers/gromov/fused_terms.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

template <class Scalar>
class StoredEngine final : public CouplingEngine {
 public:
  StoredEngine(const Context& context, const EmbeddingProblem& problem, const EmbeddingLossSettings& settings);

  void set_coupling(const CostPoints& points, const PairGeometry& geometry, const SinkhornSolution& solution) override;

  Vector apply(const Vector& v) const override { return times(coupling_, v, 1); }
  Vector apply_transposed(const Vector& w) const override { return transposed_times(comm_, coupling_, w, 1); }
  Vector transposed_squares(const Vector& w) const override;
  const Vector& row_sums() const override { return row_sums_; }
  const Vector& column_sums() const override { return column_sums_; }

  Vector apply_many(std::span<const double> values, std::int64_t width) const override {
    return times(coupling_, values, width);
  }
  Vector apply_transposed_many(std::span<const double> values, std::int64_t width) const override {
    return transposed_times(comm_, coupling_, values, width);
  }

  LossValue evaluate_loss(bool with_gradient) override;
  double evaluate_stored_cost(double factor) override;
  void add(LowRankTerm term) override;
  std::pair<Vector, Vector> moments() const override;
  PointSums cost_gradient_products(const CouplingAdjoint& adjoint) override;

 private:
  std::size_t size() const { return coupling_.values.size(); }

  const Communicator& comm_;
  RowRange rows_, columns_;
  SquaredCosts source_squares_, target_squares_;
  StoredLoss<Scalar> loss_;
  std::unique_ptr<StoredLoss<Scalar>> swapped_;
  std::vector<Scalar> between_;  // M / s_M
  bool is_frob_like_;

  const CostPoints* points_ = nullptr;
  double epsilon_ = 1.0;
  StoredMatrix<Scalar> coupling_, gradient_;
  Vector row_sums_, column_sums_;
};

const StoredIntraCosts& stored(const IntraCosts& costs) { return std::get<StoredIntraCosts>(costs); }

/// M / s_M of the owned rows, s_M the mean of M.
template <class Scalar>
std::vector<Scalar> relative_costs(const Context& context, const EmbeddingProblem& problem, RowRange rows) {
  GromovProblem fused;
  fused.a = problem.a;
  fused.b = problem.b;
  fused.linear = problem.between;
  const Vector costs = linear_cost_rows(context, fused, rows, static_cast<std::int64_t>(problem.b.size()));
  Vector sums(static_cast<std::size_t>(rows.size()), 0.0);
  for (std::size_t k = 0; k < costs.size(); ++k) sums[k / problem.b.size()] += costs[k];
  const double pairs = static_cast<double>(problem.a.size()) * static_cast<double>(problem.b.size());
  const double mean = ordered_sum(context.comm, sums) / pairs, factor = mean > 0.0 ? 1.0 / mean : 1.0;
  std::vector<Scalar> relative(costs.size());
  for (std::size_t k = 0; k < costs.size(); ++k) relative[k] = static_cast<Scalar>(factor * costs[k]);
  return relative;
}

template <class Scalar>
StoredEngine<Scalar>::StoredEngine(const Context& context, const EmbeddingProblem& problem,
                                   const EmbeddingLossSettings& settings)
    : comm_(context.comm),
      rows_(own_points(static_cast<std::int64_t>(problem.a.size()), context.comm)),
      columns_(own_points(static_cast<std::int64_t>(problem.b.size()), context.comm)),
      source_squares_(comm_, squared_cost_terms(stored(problem.source), problem.a), rows_, problem.a),
      target_squares_(comm_, squared_cost_terms(stored(problem.target), problem.b), columns_, problem.b),
      loss_(context, stored(problem.source), stored(problem.target), settings),
      is_frob_like_(settings.loss != EmbeddingLossKind::gw) {
  if (settings.symmetrise && is_frob_like_)
    swapped_ = std::make_unique<StoredLoss<Scalar>>(context, stored(problem.target), stored(problem.source), settings);
  if (problem.between && settings.lambda_fused != 0.0) between_ = relative_costs<Scalar>(context, problem, rows_);
}

template <class Scalar>
void StoredEngine<Scalar>::set_coupling(const CostPoints& points, const PairGeometry&,
                                        const SinkhornSolution& solution) {
  points_ = &points;
  epsilon_ = solution.epsilon;
  const CouplingExponents exponents = make_exponents(comm_, points, solution);
  coupling_ = {points.num_rows, points.num_columns, pair_exponentials<Scalar>(exponents.of_rows(rows_))};
  gradient_ = {points.num_rows, points.num_columns, {}};
  row_sums_ = apply(Vector(static_cast<std::size_t>(points.num_columns), 1.0));
  column_sums_ = apply_transposed(Vector(static_cast<std::size_t>(rows_.size()), 1.0));
}

template <class Scalar>
Vector StoredEngine<Scalar>::transposed_squares(const Vector& w) const {
  const std::int64_t m = coupling_.num_columns;
  Vector sums(static_cast<std::size_t>(m), 0.0);
  for_each_piece_on_host(m, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = 0; i < rows_.size(); ++i) {
      const Scalar* row = coupling_.values.data() + i * m;
      const double weight = w[static_cast<std::size_t>(i)];
      for (std::int64_t j = begin; j < end; ++j) {
        const auto value = static_cast<double>(row[j]);
        sums[static_cast<std::size_t>(j)] += weight * value * value;
      }
    }
  });
  if (comm_.size() > 1) comm_.all_reduce(std::span<double>(sums), Reduction::sum);
  return sums;
}

/// E_gw = p^T D_X.^2 p + q^T D_Y.^2 q - 2 <D_X P D_Y, P>.
template <class Scalar>
LossValue StoredEngine<Scalar>::evaluate_loss(bool with_gradient) {
  typename StoredLoss<Scalar>::Result result = loss_.evaluate(comm_, coupling_, row_sums_, with_gradient);
  const auto own_columns =
      std::span<const double>(column_sums_)
          .subspan(static_cast<std::size_t>(columns_.begin), static_cast<std::size_t>(columns_.size()));
  LossValue value;
  value.gw = source_squares_.at(comm_, row_sums_) + target_squares_.at(comm_, own_columns) - 2.0 * result.cross;
  value.loss = is_frob_like_ ? result.loss : value.gw;
  value.ranks = result.ranks;
  gradient_ = std::move(result.gradient);
  if (!swapped_) return value;
  const auto other = swapped_->evaluate(comm_, transposed(comm_, coupling_), own_columns, with_gradient);
  value.loss += other.loss;
  if (!with_gradient) return value;
  const StoredMatrix<Scalar> back = transposed(comm_, other.gradient);
  for (std::size_t k = 0; k < back.values.size(); ++k) gradient_.values[k] += back.values[k];
  return value;
}

template <class Scalar>
double StoredEngine<Scalar>::evaluate_stored_cost(double factor) {
  const std::int64_t m = coupling_.num_columns;
  Vector sums(static_cast<std::size_t>(rows_.size()), 0.0);
  const bool with_gradient = !gradient_.values.empty();
  for_each_row_on_host(rows_.size(), [&](std::int64_t i) {
    for (std::int64_t j = 0; j < m; ++j) {
      const auto at = static_cast<std::size_t>(i * m + j);
      sums[static_cast<std::size_t>(i)] +=
          static_cast<double>(between_[at]) * static_cast<double>(coupling_.values[at]);
      if (with_gradient) gradient_.values[at] += static_cast<Scalar>(factor) * between_[at];
    }
  });
  return ordered_sum(comm_, sums);
}

template <class Scalar>
void StoredEngine<Scalar>::add(LowRankTerm term) {
  const std::int64_t m = coupling_.num_columns, rank = term.rank;
  std::vector<Scalar> columns(term.columns.size());  // V^T, so that the inner loop runs along a row of G
  for (std::int64_t j = 0; j < m; ++j)
    for (std::int64_t k = 0; k < rank; ++k)
      columns[static_cast<std::size_t>(k * m + j)] =
          static_cast<Scalar>(term.columns[static_cast<std::size_t>(j * rank + k)]);
  for_each_row_on_host(rows_.size(), [&](std::int64_t i) {
    Scalar* g = gradient_.values.data() + i * m;
    for (std::int64_t k = 0; k < rank; ++k) {
      const auto u = static_cast<Scalar>(term.rows[static_cast<std::size_t>(i * rank + k)]);
      const Scalar* v = columns.data() + k * m;
      for (std::int64_t j = 0; j < m; ++j) g[j] += u * v[j];
    }
  });
}

template <class Scalar>
std::pair<Vector, Vector> StoredEngine<Scalar>::moments() const {
  StoredMatrix<Scalar> products = coupling_;  // H
  for_each_piece_on_host(static_cast<std::int64_t>(size()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      products.values[static_cast<std::size_t>(k)] *= gradient_.values[static_cast<std::size_t>(k)];
  });
  Vector u = times(products, Vector(static_cast<std::size_t>(coupling_.num_columns), 1.0), 1);
  Vector v = transposed_times(comm_, products, Vector(static_cast<std::size_t>(rows_.size()), 1.0), 1);
  return {std::move(u), std::move(v)};
}

/// G becomes dC = P o (alpha + beta - G) / epsilon.
template <class Scalar>
PointSums StoredEngine<Scalar>::cost_gradient_products(const CouplingAdjoint& adjoint) {
  const std::int64_t m = coupling_.num_columns, width = points_->width();
  const std::vector<Scalar> beta(adjoint.beta.begin(), adjoint.beta.end());
  const auto factor = static_cast<Scalar>(1.0 / epsilon_);
  for_each_row_on_host(rows_.size(), [&](std::int64_t i) {
    const auto alpha = static_cast<Scalar>(adjoint.alpha[static_cast<std::size_t>(i)]);
    const Scalar* p = coupling_.values.data() + i * m;
    Scalar* g = gradient_.values.data() + i * m;
    for (std::int64_t j = 0; j < m; ++j) g[j] = factor * p[j] * (alpha + beta[static_cast<std::size_t>(j)] - g[j]);
  });
  const Vector x = gradient_values(*points_, points_->source), y = gradient_values(*points_, points_->target);
  const auto own_x = std::span<const double>(x).subspan(static_cast<std::size_t>(rows_.begin * width),
                                                        static_cast<std::size_t>(rows_.size() * width));
  const Vector all = transposed_times(comm_, gradient_, own_x, width);
  PointSums sums;
  sums.source = times(gradient_, y, width);
  sums.target.assign(all.begin() + columns_.begin * width, all.begin() + columns_.end * width);
  return sums;
}

}  // namespace

std::unique_ptr<CouplingEngine> make_stored_engine(const Context& context, const EmbeddingProblem& problem,
                                                   const EmbeddingLossSettings& settings) {
  if (context.precision == Precision::float64)
    return std::make_unique<StoredEngine<double>>(context, problem, settings);
  return std::make_unique<StoredEngine<float>>(context, problem, settings);
}

}  // namespace thalweg
