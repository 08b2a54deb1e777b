#include "solvers/embedding/embedding_coupling.hpp"

#include "solvers/embedding/cost_points.hpp"
#include "solvers/embedding/unit_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

/// Sums of the columns of rows over all ranks, and the number of rows.
struct ColumnSums {
  std::vector<double> sums;
  double count = 0.0;
};

ColumnSums column_sums(const Communicator& comm, std::span<const double> rows, std::int64_t dim) {
  const auto own = static_cast<std::int64_t>(rows.size()) / dim;
  return {ordered_sums(comm, rows, static_cast<std::size_t>(dim)),
          static_cast<double>(comm.all_reduce(own, Reduction::sum))};
}

double dot(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0.0;
  for (std::size_t k = 0; k < x.size(); ++k) sum += x[k] * y[k];
  return sum;
}

}  // namespace

EmbeddingCoupling couple_embeddings(const Context& context, const EmbeddingCouplingProblem& problem,
                                    const EmbeddedRows& rows, const std::vector<double>& initial_g,
                                    const StopCheck& stop_check) {
  EmbeddingProblem between;
  between.dimension = problem.dim;
  between.a = problem.a;
  between.b = problem.b;
  CostPoints points = make_cost_points(context, between, problem.cost, rows.source, rows.target);
  EmbeddingCoupling result;
  result.geometry = make_cost_geometry(context, between, problem.cost_scale, points);
  SinkhornProblem sinkhorn;
  sinkhorn.geometry = result.geometry.get();
  sinkhorn.a = problem.a;
  sinkhorn.b = problem.b;
  sinkhorn.epsilon = problem.epsilon;
  sinkhorn.initial_g = initial_g;
  SinkhornSettings settings;
  settings.tolerance = problem.tolerance;
  settings.max_iterations = problem.iterations;
  settings.certify = false;
  result.solution = solve_sinkhorn(context, sinkhorn, settings, {}, stop_check);
  return result;
}

double mean_squared_distance(const Context& context, const EmbeddingProblem& problem, const EmbeddedRows& rows) {
  CostPoints points = make_cost_points(context, problem, EmbeddingCost::sq_euclidean, rows.source, rows.target);
  make_cost_geometry(context, problem, 0.0, points);
  return points.scale;
}

double mean_cosine(const Communicator& comm, const EmbeddedRows& rows, std::int64_t dim) {
  ColumnSums x = column_sums(comm, unit_rows(rows.source, dim), dim);
  const ColumnSums y = column_sums(comm, unit_rows(rows.target, dim), dim);
  for (std::size_t k = 0; k < x.sums.size(); ++k) x.sums[k] += y.sums[k];
  const double count = x.count + y.count;
  return dot(x.sums, x.sums) / (count * count);
}

}  // namespace thalweg
