// P by its potentials and G by factors: nothing n x m is stored.
#include "solvers/embedding/factored_loss.hpp"
#include "solvers/embedding/stored_loss.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

Vector ones(std::int64_t count) { return Vector(static_cast<std::size_t>(count), 1.0); }

std::span<const double> part_of(const Vector& all, RowRange rows, std::int64_t width) {
  return std::span<const double>(all).subspan(static_cast<std::size_t>(rows.begin * width),
                                              static_cast<std::size_t>(rows.size() * width));
}

/// out_i += sum_k x_ik y_ik.
void add_row_products(std::span<const double> x, std::span<const double> y, std::int64_t width, Vector& out) {
  for (std::size_t k = 0; k < x.size(); ++k) out[k / static_cast<std::size_t>(width)] += x[k] * y[k];
}

class StreamedEngine final : public CouplingEngine {
 public:
  StreamedEngine(const Context& context, const EmbeddingProblem& problem, const EmbeddingLossSettings& settings);

  void set_coupling(const CostPoints& points, const PairGeometry& geometry, const SinkhornSolution& solution) override;

  Vector apply(const Vector& v) const override { return apply_many(v, 1); }
  Vector apply_transposed(const Vector& w) const override { return apply_transposed_many(w, 1); }
  Vector transposed_squares(const Vector& w) const override;
  const Vector& row_sums() const override { return solution_->row_sums; }
  const Vector& column_sums() const override { return solution_->column_sums; }

  Vector apply_many(std::span<const double> values, std::int64_t width) const override {
    return geometry_->apply(solution_->f, solution_->g, values, width);
  }
  Vector apply_transposed_many(std::span<const double> values, std::int64_t width) const override {
    return geometry_->apply_transposed(solution_->f, solution_->g, values, width);
  }

  LossValue evaluate_loss(bool with_gradient) override;
  double evaluate_stored_cost(double) override {
    throw DataError("stored costs between sides whose costs are factors");
  }
  void add(LowRankTerm term) override { terms_.push_back(std::move(term)); }
  std::pair<Vector, Vector> moments() const override;
  PointSums cost_gradient_products(const CouplingAdjoint& adjoint) override;

 private:
  double evaluate_swapped(bool with_gradient, Vector transposed_applied);
  Vector weighted_products(const PairFactors& exponents, const PairFactors& weights, const NarrowRows& values) const;
  NarrowRows narrow(const Vector& values, std::int64_t depth) const {
    return {values, static_cast<std::int64_t>(values.size()) / depth, depth};
  }

  const Communicator& comm_;
  Precision precision_;
  IntraFactor source_, target_;
  SquaredCosts source_squares_, target_squares_;
  FactoredLoss loss_;
  std::unique_ptr<FactoredLoss> swapped_;
  EmbeddingLossKind kind_;

  const CostPoints* points_ = nullptr;
  const PairGeometry* geometry_ = nullptr;
  const SinkhornSolution* solution_ = nullptr;
  CouplingExponents exponents_;
  std::vector<LowRankTerm> terms_;  // of G
};

StreamedEngine::StreamedEngine(const Context& context, const EmbeddingProblem& problem,
                               const EmbeddingLossSettings& settings)
    : comm_(context.comm),
      precision_(context.precision),
      source_(intra_factor(comm_, problem.source, "source")),
      target_(intra_factor(comm_, problem.target, "target")),
      source_squares_(comm_, squared_cost_terms(source_, problem.a), source_.rows, problem.a),
      target_squares_(comm_, squared_cost_terms(target_, problem.b), target_.rows, problem.b),
      loss_(source_, target_, settings, context.seed),
      kind_(settings.loss) {
  if (settings.symmetrise && kind_ != EmbeddingLossKind::gw)
    swapped_ = std::make_unique<FactoredLoss>(target_, source_, settings, context.seed);
}

void StreamedEngine::set_coupling(const CostPoints& points, const PairGeometry& geometry,
                                  const SinkhornSolution& solution) {
  points_ = &points;
  geometry_ = &geometry;
  solution_ = &solution;
  exponents_ = make_exponents(comm_, points, solution);
  terms_.clear();
}

Vector StreamedEngine::weighted_products(const PairFactors& exponents, const PairFactors& weights,
                                         const NarrowRows& values) const {
  if (precision_ == Precision::float64) return pair_weighted_products<double>(exponents, weights, values);
  return pair_weighted_products<float>(exponents, weights, values);
}

/// By twice the exponents.
Vector StreamedEngine::transposed_squares(const Vector& w) const {
  const RowRange own = points_->columns;
  CouplingExponents doubled = exponents_;
  for (double& value : doubled.rows) value *= 2.0;
  const Vector weights = comm_.all_gather(std::span<const double>(w)), of_columns = ones(own.size());
  const Vector sums = weighted_products(doubled.of_columns(own), {narrow(of_columns, 1), narrow(weights, 1)},
                                        narrow(ones(points_->num_rows), 1));
  return comm_.all_gather(std::span<const double>(sums));
}

/// E_gw = p^T D_X.^2 p + q^T D_Y.^2 q - 2 <D_X P D_Y, P>.
LossValue StreamedEngine::evaluate_loss(bool with_gradient) {
  const std::int64_t width = target_.v.columns;
  Vector applied = apply_many(target_.v.values, width);
  FactoredLoss::Result result = loss_.evaluate(comm_, applied, row_sums(), with_gradient);
  LossValue value;
  value.gw = source_squares_.at(comm_, row_sums()) +
             target_squares_.at(comm_, part_of(column_sums(), target_.rows, 1)) - 2.0 * result.cross;
  value.loss = kind_ == EmbeddingLossKind::gw ? value.gw : result.loss;
  value.ranks = result.ranks;
  if (with_gradient) terms_.push_back({width, std::move(result.rows), target_.v.values, std::move(applied), {}});
  if (swapped_) value.loss += evaluate_swapped(with_gradient, apply_transposed_many(source_.own(), source_.v.columns));
  return value;
}

/// Of P^T: G^T = R V_X^T.
double StreamedEngine::evaluate_swapped(bool with_gradient, Vector transposed_applied) {
  const std::int64_t width = source_.v.columns;
  const RowRange own = target_.rows;
  FactoredLoss::Result result =
      swapped_->evaluate(comm_, part_of(transposed_applied, own, width), part_of(column_sums(), own, 1), with_gradient);
  if (with_gradient)
    terms_.push_back({width,
                      {source_.own().begin(), source_.own().end()},
                      comm_.all_gather(std::span<const double>(result.rows)),
                      {},
                      std::move(transposed_applied)});
  return result.loss;
}

std::pair<Vector, Vector> StreamedEngine::moments() const {
  Vector u(row_sums().size(), 0.0), v(column_sums().size(), 0.0);
  for (const LowRankTerm& term : terms_) {
    add_row_products(term.rows, term.applied.empty() ? apply_many(term.columns, term.rank) : term.applied, term.rank,
                     u);
    add_row_products(
        term.columns,
        term.applied_transposed.empty() ? apply_transposed_many(term.rows, term.rank) : term.applied_transposed,
        term.rank, v);
  }
  return {std::move(u), std::move(v)};
}

/// dC = P o (alpha + beta - G) / epsilon as one product of narrow rows: (-U, alpha, 1) / epsilon with (V, 1, beta).
PointSums StreamedEngine::cost_gradient_products(const CouplingAdjoint& adjoint) {
  std::int64_t depth = 2;
  for (const LowRankTerm& term : terms_) depth += term.rank;
  const double factor = 1.0 / solution_->epsilon;
  Vector own_rows, columns;
  for (std::size_t i = 0; i < adjoint.alpha.size(); ++i) {
    for (const LowRankTerm& term : terms_)
      for (std::int64_t k = 0; k < term.rank; ++k)
        own_rows.push_back(-factor * term.rows[i * static_cast<std::size_t>(term.rank) + static_cast<std::size_t>(k)]);
    own_rows.insert(own_rows.end(), {factor * adjoint.alpha[i], factor});
  }
  for (std::size_t j = 0; j < adjoint.beta.size(); ++j) {
    for (const LowRankTerm& term : terms_) {
      const auto row = term.columns.begin() + static_cast<std::ptrdiff_t>(j) * term.rank;
      columns.insert(columns.end(), row, row + term.rank);
    }
    columns.insert(columns.end(), {1.0, adjoint.beta[j]});
  }
  const Vector rows = comm_.all_gather(std::span<const double>(own_rows));
  const Vector x = gradient_values(*points_, points_->source), y = gradient_values(*points_, points_->target);
  const auto own_columns = part_of(columns, points_->columns, depth);
  PointSums sums;
  sums.source = weighted_products(exponents_.of_rows(points_->rows), {narrow(own_rows, depth), narrow(columns, depth)},
                                  narrow(y, points_->width()));
  sums.target = weighted_products(exponents_.of_columns(points_->columns),
                                  {{own_columns, points_->columns.size(), depth}, narrow(rows, depth)},
                                  narrow(x, points_->width()));
  return sums;
}

}  // namespace

std::unique_ptr<CouplingEngine> make_streamed_engine(const Context& context, const EmbeddingProblem& problem,
                                                     const EmbeddingLossSettings& settings) {
  return std::make_unique<StreamedEngine>(context, problem, settings);
}

}  // namespace thalweg
