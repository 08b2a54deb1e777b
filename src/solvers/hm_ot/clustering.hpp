// k-means in the general form that starts need: on single slices and on trajectories through all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/matrix.hpp"
#include "kernels/random.hpp"

namespace thalweg {

/// Scores of a cluster with centroid m: a row z is assigned to the cluster of smallest offset - z . slope.
struct ClusterForm {
  Matrix slopes;                // clusters x features
  std::vector<double> offsets;  // clusters
};
using MakeForm = std::function<ClusterForm(const Matrix& centroids)>;

/// offset - z . slope = |z - m|^2 - |z|^2: ordinary k-means.
ClusterForm squared_distance_form(const Matrix& centroids);

struct Clustering {
  std::vector<std::int32_t> labels;
  Matrix centroids;  // clusters x features
  double objective = 0.0;
};

/// Alternates assignment and weighted means from k-means++ seeds, at most 100 rounds, while the objective
/// sum_i w_i (offset - z_i . slope) falls; returns the best. Clusters that run empty are re-seeded at the
/// row of largest own cost (lowest index on ties). The best of `attempts` independent descents.
/// @param rows      n x features, n >= num_clusters
/// @param weights   positive, length n; empty = 1
Clustering cluster_rows(const Matrix& rows, const std::vector<double>& weights, std::int64_t num_clusters,
                        const MakeForm& make_form, const RandomStream& random, int attempts);

}  // namespace thalweg
