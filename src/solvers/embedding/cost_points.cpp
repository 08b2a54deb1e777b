#include "solvers/embedding/cost_points.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

constexpr double norm_guard = 1e-12;
constexpr double no_part = -1e5;  // exponent of a point without weight

using Vector = std::vector<double>;

double square_of(const double* z, std::int64_t dimension) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < dimension; ++k) sum += z[k] * z[k];
  return sum;
}

double length_of(const double* z, std::int64_t dimension) { return std::sqrt(square_of(z, dimension) + norm_guard); }

void normalise(std::int64_t dimension, Vector& points) {
  for (double* z = points.data(); z != points.data() + points.size(); z += dimension) {
    const double length = length_of(z, dimension);
    for (std::int64_t k = 0; k < dimension; ++k) z[k] /= length;
  }
}

void move_by(const Vector& shift, Vector& points) {
  for (std::size_t k = 0; k < points.size(); ++k) points[k] -= shift[k % shift.size()];
}

Vector mean_of(std::int64_t dimension, const Vector& points) {
  Vector mean(static_cast<std::size_t>(dimension), 0.0);
  for (std::size_t k = 0; k < points.size(); ++k) mean[k % mean.size()] += points[k];
  for (double& value : mean) value *= static_cast<double>(dimension) / static_cast<double>(points.size());
  return mean;
}

void check_shape(std::span<const double> values, RowRange rows, std::int64_t dimension, const char* side) {
  if (values.size() == static_cast<std::size_t>(rows.size() * dimension)) return;
  throw DataError(std::string("the embedding of the ") + side + " has " + std::to_string(values.size()) +
                  " numbers for " + std::to_string(rows.size()) + " cells and " + std::to_string(dimension) +
                  " dimensions");
}

/// Rows (-x, 1) or (y, 1), so that their products are the cost.
Vector with_one(const Vector& points, std::int64_t dimension, double factor) {
  Vector values;
  values.reserve(points.size() + points.size() / static_cast<std::size_t>(dimension));
  for (std::size_t k = 0; k < points.size(); ++k) {
    values.push_back(factor * points[k]);
    if ((k + 1) % static_cast<std::size_t>(dimension) == 0) values.push_back(1.0);
  }
  return values;
}

}  // namespace

CostPoints make_cost_points(const Context& context, const EmbeddingProblem& problem, EmbeddingCost cost,
                            std::span<const double> source, std::span<const double> target) {
  CostPoints points;
  points.cost = cost;
  points.dimension = problem.dimension;
  points.num_rows = static_cast<std::int64_t>(problem.a.size());
  points.num_columns = static_cast<std::int64_t>(problem.b.size());
  points.rows = own_points(points.num_rows, context.comm);
  points.columns = own_points(points.num_columns, context.comm);
  context.comm.on_all([&] {
    check_shape(source, points.rows, points.dimension, "source");
    check_shape(target, points.columns, points.dimension, "target");
  });
  points.source = context.comm.all_gather(source);
  points.target = context.comm.all_gather(target);
  if (cost == EmbeddingCost::cosine) {
    normalise(points.dimension, points.source);
    normalise(points.dimension, points.target);
    return points;
  }
  const Vector mean = mean_of(points.dimension, points.source);
  move_by(mean, points.source);
  move_by(mean, points.target);
  return points;
}

std::unique_ptr<PairGeometry> make_cost_geometry(const Context& context, const EmbeddingProblem& problem, double scale,
                                                 CostPoints& points) {
  PairSides sides;
  sides.source_weights = problem.a;
  sides.target_weights = problem.b;
  if (points.cost == EmbeddingCost::cosine) {
    const Vector x = with_one(points.source, points.dimension, -1.0),
                 y = with_one(points.target, points.dimension, 1.0);
    sides.cost = Cost::factored;
    sides.source = {points.num_rows, points.dimension + 1, std::span<const double>(x)};
    sides.target = {points.num_columns, points.dimension + 1, std::span<const double>(y)};
    return make_pair_geometry(context, sides);
  }
  sides.cost = Cost::sq_euclidean;
  sides.source = {points.num_rows, points.dimension, std::span<const double>(points.source)};
  sides.target = {points.num_columns, points.dimension, std::span<const double>(points.target)};
  std::unique_ptr<PairGeometry> geometry = make_pair_geometry(context, sides);
  points.scale = scale > 0.0 ? scale : geometry->cost_statistic(CostStatistic::mean);
  if (!(points.scale > 0.0)) points.scale = 1.0;
  geometry->set_scale(points.scale);
  return geometry;
}

PairFactors CouplingExponents::of_rows(RowRange owned) const {
  const auto part = std::span(rows).subspan(static_cast<std::size_t>(owned.begin * depth),
                                            static_cast<std::size_t>(owned.size() * depth));
  return {{part, owned.size(), depth}, {columns, static_cast<std::int64_t>(columns.size()) / depth, depth}};
}

PairFactors CouplingExponents::of_columns(RowRange owned) const {
  const auto part = std::span(columns).subspan(static_cast<std::size_t>(owned.begin * depth),
                                               static_cast<std::size_t>(owned.size() * depth));
  return {{part, owned.size(), depth}, {rows, static_cast<std::int64_t>(rows.size()) / depth, depth}};
}

/// cosine: kappa (f + g - 1 + x . y), sq_euclidean: kappa (f + g - (|x|^2 + |y|^2 - 2 x . y) / scale), kappa =
/// log2(e) / epsilon, and log2 of both references.
CouplingExponents make_exponents(const Communicator& comm, const CostPoints& points, const SinkhornSolution& coupling) {
  const double kappa = std::numbers::log2e / coupling.epsilon;
  const bool is_cosine = points.cost == EmbeddingCost::cosine;
  const std::int64_t h = points.dimension;
  const Vector f = comm.all_gather(std::span<const double>(coupling.f));
  const auto bias = [&](double potential, double log_weight, const double* point) {
    if (std::isinf(log_weight)) return no_part;
    const double of_point = is_cosine ? 0.5 : square_of(point, h) / points.scale;
    return kappa * (potential - of_point) + std::numbers::log2e * log_weight;
  };
  CouplingExponents exponents;
  exponents.depth = h + 2;
  const double factor = kappa * (is_cosine ? 1.0 : 2.0 / points.scale);
  for (std::int64_t i = 0; i < points.num_rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double* x = points.source.data() + i * h;
    exponents.rows.insert(exponents.rows.end(), {bias(f[at], coupling.log_alpha[at], x), 1.0});
    for (std::int64_t k = 0; k < h; ++k) exponents.rows.push_back(factor * x[k]);
  }
  for (std::int64_t j = 0; j < points.num_columns; ++j) {
    const auto at = static_cast<std::size_t>(j);
    const double* y = points.target.data() + j * h;
    exponents.columns.insert(exponents.columns.end(), {1.0, bias(coupling.g[at], coupling.log_beta[at], y)});
    exponents.columns.insert(exponents.columns.end(), y, y + h);
  }
  return exponents;
}

double pair_cost(const CostPoints& points, std::int64_t i, std::int64_t j) {
  const double *x = points.source.data() + i * points.dimension, *y = points.target.data() + j * points.dimension;
  double product = 0.0, square = 0.0;
  for (std::int64_t k = 0; k < points.dimension; ++k) {
    product += x[k] * y[k];
    square += (x[k] - y[k]) * (x[k] - y[k]);
  }
  return points.cost == EmbeddingCost::cosine ? 1.0 - product : square / points.scale;
}

std::vector<double> gradient_values(const CostPoints& points, std::span<const double> side) {
  Vector values(side.begin(), side.end());
  return points.width() == points.dimension ? values : with_one(values, points.dimension, 1.0);
}

/// cosine: -sum_j dC_ij y_j; sq_euclidean: (2 / scale) (x_i sum_j dC_ij - sum_j dC_ij y_j).
std::vector<double> point_gradient(const CostPoints& points, std::span<const double> own,
                                   std::span<const double> sums) {
  const auto h = static_cast<std::size_t>(points.dimension), width = static_cast<std::size_t>(points.width());
  const bool is_cosine = points.cost == EmbeddingCost::cosine;
  Vector gradient(own.size());
  for (std::size_t k = 0; k < own.size(); ++k) {
    const double* of_row = sums.data() + k / h * width;
    gradient[k] = is_cosine ? -of_row[k % h] : 2.0 / points.scale * (own[k] * of_row[h] - of_row[k % h]);
  }
  return gradient;
}

/// Through x = z / l, l = (|z|^2 + 1e-12)^(1/2): (d - x (x . d)) / l.
std::vector<double> embedding_gradient(EmbeddingCost cost, std::int64_t dimension, std::span<const double> embedding,
                                       std::vector<double> gradient) {
  if (cost == EmbeddingCost::sq_euclidean) return gradient;
  for (std::size_t begin = 0; begin < gradient.size(); begin += static_cast<std::size_t>(dimension)) {
    const double* z = embedding.data() + begin;
    double* d = gradient.data() + begin;
    const double length = length_of(z, dimension);
    double along = 0.0;
    for (std::int64_t k = 0; k < dimension; ++k) along += z[k] * d[k];
    for (std::int64_t k = 0; k < dimension; ++k) d[k] = (d[k] - z[k] * along / (length * length)) / length;
  }
  return gradient;
}

}  // namespace thalweg
