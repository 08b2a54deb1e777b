#include "solvers/embedding/gradient_check.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/random.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

constexpr std::int64_t most_cells = 256;
constexpr std::uint32_t direction_stream = 96;
constexpr double step = 1e-3;

EmbeddingLossSettings exact(EmbeddingLossSettings settings) {
  settings.sinkhorn_iterations = 5000;
  settings.sinkhorn_tolerance = 1e-12;
  settings.cg_iterations = 2000;
  settings.cg_tolerance = 1e-10;
  return settings;
}

std::int64_t num_weighted(const Vector& weights) {
  return std::count_if(weights.begin(), weights.end(), [](double weight) { return weight > 0.0; });
}

double dot_of(const Communicator& comm, const EmbeddedRows& a, const EmbeddedRows& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.source.size(); ++k) sum += a.source[k] * b.source[k];
  for (std::size_t k = 0; k < a.target.size(); ++k) sum += a.target[k] * b.target[k];
  return comm.all_reduce(sum, Reduction::sum);
}

EmbeddedRows moved(const EmbeddedRows& rows, const EmbeddedRows& direction, double length) {
  EmbeddedRows result = rows;
  for (std::size_t k = 0; k < rows.source.size(); ++k) result.source[k] += length * direction.source[k];
  for (std::size_t k = 0; k < rows.target.size(); ++k) result.target[k] += length * direction.target[k];
  return result;
}

/// Independent normal numbers of the owned rows.
EmbeddedRows random_direction(const Context& context, std::int64_t count, const EmbeddedRows& rows) {
  const RandomStream random{context.seed, direction_stream};
  const RowRange own = own_points(count, context.comm);
  EmbeddedRows direction = rows;
  const auto fill = [&](Vector& values, std::uint32_t draw) {
    if (own.size() == 0) return;
    const auto begin = static_cast<std::uint64_t>(own.begin) * values.size() / static_cast<std::uint64_t>(own.size());
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = random.normal(begin + k, draw);
  };
  fill(direction.source, 0);
  fill(direction.target, 1);
  return direction;
}

}  // namespace

double gradient_error(const Context& context, const EmbeddingProblem& problem, const EmbeddingLossSettings& settings,
                      const EncoderPair& encoders, std::span<const double> weights, const EncoderInputs& cells,
                      double epsilon, double scale) {
  const Communicator& comm = context.comm;
  const std::int64_t count = std::min({most_cells, num_weighted(problem.a), num_weighted(problem.b)});
  const CellBatch batch(comm, problem, cells, count, {context.seed, 0, 0});
  const Context precise{comm, Precision::float64, context.device, context.seed};
  EmbeddingLoss loss(precise, batch.problem(), exact(settings));
  loss.set_warm_start({{}, {}, scale});
  const EmbeddedRows rows = encode(encoders, weights, batch.cells());
  const EmbeddingEvaluation value = loss.evaluate(rows.source, rows.target, epsilon, EvaluationMode::gradient);
  const EmbeddedRows gradient{value.source_gradient, value.target_gradient};
  const double size = std::sqrt(dot_of(comm, gradient, gradient));
  if (!(size > 0.0)) return 0.0;
  const EmbeddedRows random = random_direction(context, count, rows);
  const EmbeddedRows direction =
      moved(moved(gradient, gradient, 1.0 / size - 1.0), random, 1.0 / std::sqrt(dot_of(comm, random, random)));
  const auto total_at = [&](double length) {
    const EmbeddedRows there = moved(rows, direction, length);
    return loss.evaluate(there.source, there.target, epsilon, EvaluationMode::value).total;
  };
  const double difference = (total_at(step) - total_at(-step)) / (2.0 * step);
  return std::abs(difference - dot_of(comm, gradient, direction)) / size;
}

}  // namespace thalweg
