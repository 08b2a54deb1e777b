#include "solvers/embedding/coupling_engine.hpp"

namespace thalweg {

void add_pair_moments(const std::vector<PairTerm>& pairs, RowRange rows, std::vector<double>& u, std::vector<double>& v) {
  for (const PairTerm& pair : pairs) {
    if (pair.row >= rows.begin && pair.row < rows.end) u[static_cast<std::size_t>(pair.row - rows.begin)] += pair.value;
    v[static_cast<std::size_t>(pair.column)] += pair.value;
  }
}

void add_pair_sums(const CostPoints& points, const std::vector<PairTerm>& pairs, double epsilon, PointSums& sums) {
  if (pairs.empty()) return;
  const std::vector<double> x = gradient_values(points, points.source), y = gradient_values(points, points.target);
  const auto width = static_cast<std::size_t>(points.width());
  const auto add = [&](const std::vector<double>& from, std::int64_t of, RowRange owned, std::int64_t row, double factor,
                       std::vector<double>& to) {
    if (row < owned.begin || row >= owned.end) return;
    for (std::size_t k = 0; k < width; ++k)
      to[static_cast<std::size_t>(row - owned.begin) * width + k] += factor * from[static_cast<std::size_t>(of) * width + k];
  };
  for (const PairTerm& pair : pairs) {
    add(y, pair.column, points.rows, pair.row, -pair.value / epsilon, sums.source);
    add(x, pair.row, points.columns, pair.column, -pair.value / epsilon, sums.target);
  }
}

std::unique_ptr<CouplingEngine> make_coupling_engine(const Context& context, const EmbeddingProblem& problem,
                                                     const EmbeddingLossSettings& settings) {
  if (std::holds_alternative<StoredIntraCosts>(problem.source)) return make_stored_engine(context, problem, settings);
  return make_streamed_engine(context, problem, settings);
}

}  // namespace thalweg
