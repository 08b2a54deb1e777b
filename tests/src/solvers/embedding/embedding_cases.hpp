// Small problems of learned embeddings, and their losses by plain loops.
#pragma once

#include <cmath>
#include <numeric>

#include "kernels/random.hpp"
#include "solvers/embedding/embedding_loss.hpp"
#include "solvers/embedding/soft_rank.hpp"

namespace thalweg::testing_support {

using Vector = std::vector<double>;

inline Vector normals(std::int64_t count, std::uint32_t stream, double size = 1.0) {
  const RandomStream noise{11, stream};
  Vector values(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = size * noise.normal(k);
  return values;
}

inline Vector uneven_weights(std::int64_t count, double phase) {
  Vector weights;
  for (std::int64_t i = 0; i < count; ++i) weights.push_back(1.0 + 0.5 * std::cos(phase + static_cast<double>(i)));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// A ring of cells, each joined to the next two.
inline Graph ring_graph(std::int64_t count) {
  std::vector<Edge> edges;
  for (std::int32_t i = 0; i < count; ++i)
    for (const std::int32_t step : {1, 2}) {
      const auto k = static_cast<std::int32_t>((i + step) % count);
      edges.push_back({std::min(i, k), std::max(i, k), 1.0});
    }
  return graph_of_edges(count, std::move(edges), EdgeWeight::hops);
}

/// Everything of both sides on this rank: costs V diag(d) V^T, as factors and in full.
struct EmbeddingCase {
  std::int64_t n, m, h;
  Vector a, b, v, w, v_diagonal = {1.0, 0.6, -0.2}, w_diagonal = {0.9, 0.5, 0.3};
  Vector x_costs, y_costs, z_x, z_y, features_x, features_y, between;

  EmbeddingCase(std::int64_t n_, std::int64_t m_, std::int64_t h_ = 4) : n(n_), m(m_), h(h_) {
    a = uneven_weights(n, 0.0);
    b = uneven_weights(m, 1.0);
    v = normals(n * 3, 1, 0.5);
    w = normals(m * 3, 2, 0.5);
    z_x = normals(n * h, 3);
    z_y = normals(m * h, 4);
    features_x = normals(n * 2, 5);
    features_y = normals(m * 2, 6);
    x_costs = full(v, v_diagonal, n);
    y_costs = full(w, w_diagonal, m);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < 2; ++k) {
          const double difference =
              features_x[static_cast<std::size_t>(2 * i + k)] - features_y[static_cast<std::size_t>(2 * j + k)];
          sum += difference * difference;
        }
        between.push_back(sum);
      }
  }

  static Vector full(const Vector& v, const Vector& diagonal, std::int64_t count) {
    const std::size_t r = diagonal.size(), n = static_cast<std::size_t>(count);
    Vector costs(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t l = 0; l < r; ++l) costs[i * n + k] += diagonal[l] * v[i * r + l] * v[k * r + l];
    return costs;
  }
};

/// The part of one rank of a case as a problem; must outlive the loss.
struct CasePart {
  RowRange rows, columns;
  Vector x_rows, y_rows, between_rows, z_x, z_y;
  EmbeddingProblem problem;

  static Vector part(const Vector& all, RowRange rows, std::int64_t width) {
    return {all.begin() + rows.begin * width, all.begin() + rows.end * width};
  }

  CasePart(const Communicator& comm, const EmbeddingCase& of, bool is_stored, bool has_features)
      : rows(own_points(of.n, comm)),
        columns(own_points(of.m, comm)),
        x_rows(part(of.x_costs, rows, of.n)),
        y_rows(part(of.y_costs, columns, of.m)),
        between_rows(part(of.between, rows, of.m)),
        z_x(part(of.z_x, rows, of.h)),
        z_y(part(of.z_y, columns, of.h)) {
    problem.dimension = of.h;
    problem.a = of.a;
    problem.b = of.b;
    if (is_stored) {
      problem.source = StoredIntraCosts{of.n, std::span<const double>(x_rows), 1.0};
      problem.target = StoredIntraCosts{of.m, std::span<const double>(y_rows), 1.0};
      if (has_features) problem.between = StoredLinearCosts{std::span<const double>(between_rows)};
    } else {
      problem.source = FactoredCosts{{of.n, 3, std::span<const double>(of.v)}, of.v_diagonal, 1.0};
      problem.target = FactoredCosts{{of.m, 3, std::span<const double>(of.w)}, of.w_diagonal, 1.0};
      if (has_features)
        problem.between = SharedFeatures{{of.n, 2, std::span<const double>(of.features_x)},
                                         {of.m, 2, std::span<const double>(of.features_y)}};
    }
    problem.source_graph = ring_graph(of.n);
    problem.target_graph = ring_graph(of.m);
  }
};

/// The coupling of two embeddings by plain Sinkhorn, and losses of it by their definitions.
struct PlainEmbedding {
  const EmbeddingCase& of;
  EmbeddingCost kind;
  double epsilon;
  Vector costs, coupling;

  PlainEmbedding(const EmbeddingCase& given, EmbeddingCost cost, double eps) : of(given), kind(cost), epsilon(eps) {
    double mean = 0.0;
    for (std::int64_t i = 0; i < of.n; ++i)
      for (std::int64_t j = 0; j < of.m; ++j) {
        costs.push_back(cost_of(of.z_x.data() + i * of.h, of.z_y.data() + j * of.h));
        mean += costs.back() / static_cast<double>(of.n * of.m);
      }
    if (kind == EmbeddingCost::sq_euclidean)
      for (double& value : costs) value /= mean;
    solve();
  }

  double cost_of(const double* x, const double* y) const {
    double product = 0.0, xx = 1e-12, yy = 1e-12, square = 0.0;
    for (std::int64_t k = 0; k < of.h; ++k) {
      product += x[k] * y[k];
      xx += x[k] * x[k];
      yy += y[k] * y[k];
      square += (x[k] - y[k]) * (x[k] - y[k]);
    }
    return kind == EmbeddingCost::cosine ? 1.0 - product / std::sqrt(xx * yy) : square;
  }

  void solve() {
    const auto n = static_cast<std::size_t>(of.n), m = static_cast<std::size_t>(of.m);
    Vector f(n, 0.0), g(m, 0.0);
    for (int step = 0; step < 20000; ++step) {
      double change = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        double sum = 0.0;
        for (std::size_t j = 0; j < m; ++j) sum += of.b[j] * std::exp((g[j] - costs[i * m + j]) / epsilon);
        f[i] = -epsilon * std::log(sum);
      }
      for (std::size_t j = 0; j < m; ++j) {
        double sum = 0.0;
        for (std::size_t i = 0; i < n; ++i) sum += of.a[i] * std::exp((f[i] - costs[i * m + j]) / epsilon);
        const double next = -epsilon * std::log(sum);
        change = std::max(change, std::abs(next - g[j]));
        g[j] = next;
      }
      if (change < 1e-15) break;
    }
    coupling.resize(n * m);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j)
        coupling[i * m + j] = of.a[i] * of.b[j] * std::exp((f[i] + g[j] - costs[i * m + j]) / epsilon);
  }

  double gw() const {
    const auto n = static_cast<std::size_t>(of.n), m = static_cast<std::size_t>(of.m);
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t j = 0; j < m; ++j)
          for (std::size_t l = 0; l < m; ++l)
            sum +=
                std::pow(of.x_costs[i * n + k] - of.y_costs[j * m + l], 2) * coupling[i * m + j] * coupling[k * m + l];
    return sum;
  }

  /// Q D Q^T of P (or P^T), and the costs it is held against.
  struct Averaged {
    Vector wanted, found;
    std::size_t size;
  };
  Averaged averaged(bool is_swapped) const {
    const auto n = static_cast<std::size_t>(is_swapped ? of.m : of.n),
               m = static_cast<std::size_t>(is_swapped ? of.n : of.m);
    const Vector &x = is_swapped ? of.y_costs : of.x_costs, &y = is_swapped ? of.x_costs : of.y_costs;
    Vector q(n * m), b(n * m, 0.0), found(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < m; ++j) sum += q[i * m + j] = is_swapped ? coupling[j * n + i] : coupling[i * m + j];
      for (std::size_t j = 0; j < m; ++j) q[i * m + j] /= sum;
    }
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j)
        for (std::size_t l = 0; l < m; ++l) b[i * m + l] += q[i * m + j] * y[j * m + l];
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < n; ++k)
        for (std::size_t l = 0; l < m; ++l) found[i * n + k] += b[i * m + l] * q[k * m + l];
    return {x, found, n};
  }
  double frob(bool is_swapped) const {
    const Averaged both = averaged(is_swapped);
    double sum = 0.0;
    for (std::size_t k = 0; k < both.wanted.size(); ++k) sum += std::pow(both.wanted[k] - both.found[k], 2);
    return sum / std::pow(static_cast<double>(both.size), 2);
  }
  double rank(bool is_swapped, double delta) const {
    const Averaged both = averaged(is_swapped);
    double sum = 0.0;
    for (std::size_t i = 0; i < both.size; ++i) {
      const SoftRanks x = soft_ranks(std::span(both.wanted).subspan(i * both.size, both.size), delta);
      const SoftRanks y = soft_ranks(std::span(both.found).subspan(i * both.size, both.size), delta);
      for (std::size_t k = 0; k < both.size; ++k) sum += std::pow(x.values[k] - y.values[k], 2);
    }
    return sum / std::pow(static_cast<double>(both.size), 2);
  }
  double entropy() const {
    double sum = 0.0;
    for (std::size_t k = 0; k < coupling.size(); ++k)
      if (coupling[k] > 0.0) sum += coupling[k] * std::log(coupling[k] / (of.a[k / of.b.size()] * of.b[k % of.b.size()]));
    return sum;
  }
  double fused() const {
    const double mean =
        std::accumulate(of.between.begin(), of.between.end(), 0.0) / static_cast<double>(of.between.size());
    return std::inner_product(coupling.begin(), coupling.end(), of.between.begin(), 0.0) / mean;
  }
  /// (1 / n m) of the sums over edges of both graphs of (C_ij - C_i'j)^2 and (C_ij - C_ij')^2.
  double spectral(const Graph& x, const Graph& y) const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < of.n; ++i)
      for (const std::int32_t k : x.neighbours_of(i))
        for (std::int64_t j = 0; j < of.m; ++j) sum += 0.5 * std::pow(cost(i, j) - cost(k, j), 2);
    for (std::int64_t j = 0; j < of.m; ++j)
      for (const std::int32_t l : y.neighbours_of(j))
        for (std::int64_t i = 0; i < of.n; ++i) sum += 0.5 * std::pow(cost(i, j) - cost(i, l), 2);
    return sum / static_cast<double>(of.n * of.m);
  }
  double cost(std::int64_t i, std::int64_t j) const { return costs[static_cast<std::size_t>(i * of.m + j)]; }
};

inline EmbeddingLossSettings exact_settings() {
  EmbeddingLossSettings settings;
  settings.sinkhorn_iterations = 5000;
  settings.sinkhorn_tolerance = 1e-13;
  settings.cg_tolerance = 1e-12;
  settings.cg_iterations = 2000;
  return settings;
}

}  // namespace thalweg::testing_support
