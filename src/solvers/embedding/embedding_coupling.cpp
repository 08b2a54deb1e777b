#include "solvers/embedding/embedding_coupling.hpp"

#include "solvers/embedding/unit_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

/// All rows of unit length, times `factor`, with a last coordinate 1.
std::vector<double> with_one(const std::vector<double>& rows, std::int64_t dim, double factor) {
  const std::vector<double> units = unit_rows(rows, dim);
  const auto h = static_cast<std::size_t>(dim);
  std::vector<double> result;
  result.reserve(units.size() / h * (h + 1));
  for (std::size_t begin = 0; begin < units.size(); begin += h) {
    for (std::size_t k = begin; k < begin + h; ++k) result.push_back(factor * units[k]);
    result.push_back(1.0);
  }
  return result;
}

std::vector<double> gathered(const Communicator& comm, const std::vector<double>& rows) {
  return comm.all_gather(std::span<const double>(rows));
}

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

/// Mean of |z|^2.
double mean_square(const Communicator& comm, const std::vector<double>& rows, std::int64_t dim) {
  std::vector<double> squares(rows.size());
  for (std::size_t at = 0; at < rows.size(); ++at) squares[at] = rows[at] * rows[at];
  const ColumnSums columns = column_sums(comm, squares, dim);
  double sum = 0.0;
  for (const double value : columns.sums) sum += value;
  return sum / columns.count;
}

}  // namespace

EmbeddingCoupling couple_embeddings(const Context& context, const EmbeddingCouplingProblem& problem,
                                    const EmbeddedRows& rows, const std::vector<double>& initial_g,
                                    const StopCheck& stop_check) {
  const bool is_cosine = problem.cost == EmbeddingCost::cosine;
  std::vector<double> x = gathered(context.comm, rows.source), y = gathered(context.comm, rows.target);
  if (is_cosine) {  // 1 - x . y as a product of rows, which rows of length 0 have too
    x = with_one(x, problem.dim, -1.0);
    y = with_one(y, problem.dim, 1.0);
  }
  const std::int64_t width = is_cosine ? problem.dim + 1 : problem.dim;
  PairSides sides;
  sides.cost = is_cosine ? Cost::factored : Cost::sq_euclidean;
  sides.source = {static_cast<std::int64_t>(problem.a.size()), width, std::span<const double>(x)};
  sides.target = {static_cast<std::int64_t>(problem.b.size()), width, std::span<const double>(y)};
  sides.source_weights = problem.a;
  sides.target_weights = problem.b;
  EmbeddingCoupling result;
  result.geometry = make_pair_geometry(context, sides);
  if (!is_cosine) result.geometry->set_scale(problem.cost_scale);
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

double mean_squared_distance(const Communicator& comm, const EmbeddedRows& rows, std::int64_t dim) {
  const ColumnSums x = column_sums(comm, rows.source, dim), y = column_sums(comm, rows.target, dim);
  return mean_square(comm, rows.source, dim) + mean_square(comm, rows.target, dim) -
         2.0 * dot(x.sums, y.sums) / (x.count * y.count);
}

double mean_cosine(const Communicator& comm, const EmbeddedRows& rows, std::int64_t dim) {
  ColumnSums x = column_sums(comm, unit_rows(rows.source, dim), dim);
  const ColumnSums y = column_sums(comm, unit_rows(rows.target, dim), dim);
  for (std::size_t k = 0; k < x.sums.size(); ++k) x.sums[k] += y.sums[k];
  const double count = x.count + y.count;
  return dot(x.sums, x.sums) / (count * count);
}

}  // namespace thalweg
