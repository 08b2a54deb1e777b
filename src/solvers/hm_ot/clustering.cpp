#include "solvers/hm_ot/clustering.hpp"

#include <cblas.h>

#include <algorithm>
#include <limits>

namespace thalweg {

namespace {

constexpr int max_rounds = 100;

double weight_of(const std::vector<double>& weights, std::int64_t row) {
  return weights.empty() ? 1.0 : weights[static_cast<std::size_t>(row)];
}

double squared_distance(const Matrix& rows, std::int64_t i, std::int64_t j) {
  double sum = 0.0;
  for (std::int64_t f = 0; f < rows.columns; ++f) sum += (rows(i, f) - rows(j, f)) * (rows(i, f) - rows(j, f));
  return sum;
}

/// Index of the first row at which the cumulative sum of `values` exceeds `place`.
std::int64_t pick(const std::vector<double>& values, double place) {
  double cumulative = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if ((cumulative += values[i]) > place) return static_cast<std::int64_t>(i);
  return static_cast<std::int64_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// k-means++: every seed is drawn with probability proportional to the squared distance to the nearest.
Matrix seed_centroids(const Matrix& rows, const std::vector<double>& weights, std::int64_t count, const RandomStream& random,
                      int attempt) {
  const auto draw = static_cast<std::uint32_t>(attempt);
  Matrix centroids(count, rows.columns);
  std::vector<double> nearest(static_cast<std::size_t>(rows.rows), std::numeric_limits<double>::max());
  std::int64_t chosen = static_cast<std::int64_t>(random.uniform(0, draw) * static_cast<double>(rows.rows));
  for (std::int64_t c = 0; c < count; ++c) {
    if (c > 0) {
      std::vector<double> mass(nearest);
      double total = 0.0;
      for (std::int64_t i = 0; i < rows.rows; ++i) total += mass[static_cast<std::size_t>(i)] *= weight_of(weights, i);
      chosen = pick(mass, random.uniform(static_cast<std::uint64_t>(c), draw) * total);
    }
    std::copy_n(rows.row(chosen).begin(), rows.columns, centroids.row(c).begin());
    for (std::int64_t i = 0; i < rows.rows; ++i)
      nearest[static_cast<std::size_t>(i)] = std::min(nearest[static_cast<std::size_t>(i)], squared_distance(rows, i, chosen));
  }
  return centroids;
}

/// Assigns every row to its cheapest cluster; own costs in `costs`.
std::vector<std::int32_t> assign(const Matrix& rows, const ClusterForm& form, std::vector<double>& costs) {
  const std::int64_t clusters = form.slopes.rows;
  Matrix products(rows.rows, clusters);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows.rows), static_cast<int>(clusters),
              static_cast<int>(rows.columns), 1.0, rows.values.data(), static_cast<int>(rows.columns),
              form.slopes.values.data(), static_cast<int>(rows.columns), 0.0, products.values.data(),
              static_cast<int>(clusters));
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows.rows), 0);
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    double best = std::numeric_limits<double>::max();
    for (std::int64_t c = 0; c < clusters; ++c) {
      const double cost = form.offsets[static_cast<std::size_t>(c)] - products(i, c);
      if (cost < best) {
        best = cost;
        labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(c);
      }
    }
    costs[static_cast<std::size_t>(i)] = best;
  }
  return labels;
}

/// Moves the row of largest own cost into every empty cluster.
void fill_empty_clusters(std::int64_t clusters, std::vector<double> costs, std::vector<std::int32_t>& labels) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters), 0);
  for (const std::int32_t label : labels) ++counts[static_cast<std::size_t>(label)];
  for (std::int64_t c = 0; c < clusters; ++c) {
    if (counts[static_cast<std::size_t>(c)] > 0) continue;
    std::size_t worst = labels.size();
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (counts[static_cast<std::size_t>(labels[i])] > 1 && (worst == labels.size() || costs[i] > costs[worst])) worst = i;
    if (worst == labels.size()) return;
    --counts[static_cast<std::size_t>(labels[worst])];
    labels[worst] = static_cast<std::int32_t>(c);
    counts[static_cast<std::size_t>(c)] = 1;
    costs[worst] = -std::numeric_limits<double>::max();
  }
}

Matrix weighted_means(const Matrix& rows, const std::vector<double>& weights, std::int64_t clusters,
                      const std::vector<std::int32_t>& labels, std::vector<double>& masses) {
  Matrix means(clusters, rows.columns);
  masses.assign(static_cast<std::size_t>(clusters), 0.0);
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const std::int32_t label = labels[static_cast<std::size_t>(i)];
    const double weight = weight_of(weights, i);
    masses[static_cast<std::size_t>(label)] += weight;
    for (std::int64_t f = 0; f < rows.columns; ++f) means(label, f) += weight * rows(i, f);
  }
  for (std::int64_t c = 0; c < clusters; ++c)
    for (double& value : means.row(c)) value /= std::max(masses[static_cast<std::size_t>(c)], std::numeric_limits<double>::min());
  return means;
}

/// sum_i w_i (offset - z_i . slope) when the centroids are the means.
double objective_of(const Matrix& means, const std::vector<double>& masses, const ClusterForm& form) {
  double objective = 0.0;
  for (std::int64_t c = 0; c < means.rows; ++c) {
    double product = 0.0;
    for (std::int64_t f = 0; f < means.columns; ++f) product += means(c, f) * form.slopes(c, f);
    objective += masses[static_cast<std::size_t>(c)] * (form.offsets[static_cast<std::size_t>(c)] - product);
  }
  return objective;
}

/// Assignment and means in turn while the objective falls.
Clustering descend(const Matrix& rows, const std::vector<double>& weights, Matrix centroids, const MakeForm& make_form) {
  Clustering best;
  best.objective = std::numeric_limits<double>::max();
  const std::int64_t num_clusters = centroids.rows;
  std::vector<double> costs(static_cast<std::size_t>(rows.rows)), masses;
  for (int round = 0; round < max_rounds; ++round) {
    std::vector<std::int32_t> labels = assign(rows, make_form(centroids), costs);
    fill_empty_clusters(num_clusters, costs, labels);
    centroids = weighted_means(rows, weights, num_clusters, labels, masses);
    const double objective = objective_of(centroids, masses, make_form(centroids));
    if (!(objective < best.objective)) break;
    best = {std::move(labels), centroids, objective};
  }
  return best;
}

}  // namespace

ClusterForm squared_distance_form(const Matrix& centroids) {
  ClusterForm form{centroids, std::vector<double>(static_cast<std::size_t>(centroids.rows), 0.0)};
  for (std::int64_t c = 0; c < centroids.rows; ++c)
    for (double& value : form.slopes.row(c)) {
      form.offsets[static_cast<std::size_t>(c)] += value * value;
      value *= 2.0;
    }
  return form;
}

Clustering cluster_rows(const Matrix& rows, const std::vector<double>& weights, std::int64_t num_clusters,
                        const MakeForm& make_form, const RandomStream& random, int attempts) {
  Clustering best;
  best.objective = std::numeric_limits<double>::max();
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Clustering found = descend(rows, weights, seed_centroids(rows, weights, num_clusters, random, attempt), make_form);
    if (found.objective < best.objective) best = std::move(found);
  }
  return best;
}

}  // namespace thalweg
