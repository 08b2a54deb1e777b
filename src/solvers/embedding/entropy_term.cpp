#include "solvers/embedding/entropy_term.hpp"

#include "solvers/gromov/inner_products.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

std::span<const double> point_of(std::span<const double> points, std::int64_t row, std::int64_t h) {
  return points.subspan(static_cast<std::size_t>(row * h), static_cast<std::size_t>(h));
}

/// C_ij = of_row(x_i) + of_column(y_j) - factor x_i . y_j.
struct SplitCost {
  const CostPoints& points;

  bool is_cosine() const { return points.cost == EmbeddingCost::cosine; }
  double factor() const { return is_cosine() ? 1.0 : 2.0 / points.scale; }
  double of_row(std::span<const double> x) const { return is_cosine() ? 1.0 : dot(x, x) / points.scale; }
  double of_column(std::span<const double> y) const { return is_cosine() ? 0.0 : dot(y, y) / points.scale; }
};

/// w (potential - cost); 0 without weight, whose potential is infinite.
double weighted(double w, double potential, double cost) { return w > 0.0 ? w * (potential - cost) : 0.0; }

}  // namespace

double entropy_term(const Communicator& comm, const CostPoints& points, const SinkhornSolution& coupling, double factor,
                    bool with_gradient, CouplingEngine& engine) {
  const std::int64_t h = points.dimension;
  const SplitCost cost{points};
  Vector applied = engine.apply_many(points.target, h), terms;
  for (std::int64_t i = 0; i < points.rows.size(); ++i) {
    const auto x = point_of(points.source, points.rows.begin + i, h), py = point_of(applied, i, h);
    const auto at = static_cast<std::size_t>(i);
    terms.push_back(weighted(engine.row_sums()[at], coupling.f[at], cost.of_row(x)) + cost.factor() * dot(x, py));
  }
  double sum = ordered_sum(comm, terms);
  for (std::int64_t j = 0; j < points.num_columns; ++j) {
    const auto at = static_cast<std::size_t>(j);
    sum += weighted(engine.column_sums()[at], coupling.g[at], cost.of_column(point_of(points.target, j, h)));
  }
  if (with_gradient) {
    LowRankTerm term{h, {}, points.target, std::move(applied), {}};
    const double weight = factor * cost.factor() / coupling.epsilon;
    for (std::int64_t k = points.rows.begin * h; k < points.rows.end * h; ++k)
      term.rows.push_back(weight * points.source[static_cast<std::size_t>(k)]);
    engine.add(std::move(term));
  }
  return sum / coupling.epsilon;
}

}  // namespace thalweg
