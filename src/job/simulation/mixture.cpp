#include "job/simulation/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "distributed/error.hpp"
#include "job/simulation/normals.hpp"

namespace thalweg {
namespace {

constexpr int dirichlet_shape = 5;

RandomStream stream_of(std::uint64_t seed, SimulationStream stream) {
  return {.seed = seed, .stream = static_cast<std::uint32_t>(stream)};
}

void check(const MixtureParameters& parameters) {
  for (const auto& [name, value] :
       {std::pair{"cells", parameters.cells}, std::pair{"times", parameters.times},
        std::pair{"components", parameters.components}, std::pair{"dimensions", parameters.dimensions}}) {
    if (value >= 1) continue;
    throw ConfigError("simulate." + std::string(name) + " is " + std::to_string(value) +
                      " in the mixture model; at least 1 is needed; raise it");
  }
}

/// One random direction a component, scaled to `norm`.
Matrix directions(const MixtureParameters& parameters, SimulationStream stream, double norm) {
  const RandomStream random = stream_of(parameters.seed, stream);
  Matrix vectors(parameters.components, parameters.dimensions);
  for (std::int64_t k = 0; k < vectors.rows; ++k) {
    double squares = 0.0;
    for (std::int64_t j = 0; j < vectors.columns; ++j) {
      vectors(k, j) = random.normal(static_cast<std::uint64_t>(k), static_cast<std::uint32_t>(j));
      squares += vectors(k, j) * vectors(k, j);
    }
    for (double& value : vectors.row(k)) value *= norm / std::sqrt(squares);
  }
  return vectors;
}

/// Dirichlet weights from gamma variables of whole shape: sums of exponentials.
Matrix dirichlet_weights(const MixtureParameters& parameters) {
  const RandomStream random = stream_of(parameters.seed, SimulationStream::weight);
  Matrix weights(parameters.times, parameters.components);
  for (std::int64_t t = 0; t < weights.rows; ++t) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < weights.columns; ++k) {
      for (std::uint32_t draw = 0; draw < dirichlet_shape; ++draw) {
        weights(t, k) -= std::log(1.0 - random.uniform(static_cast<std::uint64_t>(t * weights.columns + k), draw));
      }
      sum += weights(t, k);
    }
    for (double& weight : weights.row(t)) weight /= sum;
  }
  return weights;
}

std::vector<double> cumulative(std::span<const double> weights) {
  std::vector<double> sums;
  double sum = 0.0;
  for (const double weight : weights) sums.push_back(sum += weight);
  sums.back() = 1.0;  // not one rounding below
  return sums;
}

}  // namespace

Mixture::Mixture(const MixtureParameters& parameters) : parameters_(parameters) {
  check(parameters);
  start_ = directions(parameters, SimulationStream::centre, parameters.separation);
  drift_ = directions(parameters, SimulationStream::drift, parameters.drift);
  weights_ = dirichlet_weights(parameters);
}

Matrix Mixture::centres(std::int64_t time) const {
  Matrix centres = start_;
  for (std::size_t entry = 0; entry < centres.values.size(); ++entry) {
    centres.values[entry] += static_cast<double>(time) * drift_.values[entry];
  }
  return centres;
}

SimulatedBlock Mixture::block(std::int64_t time, RowRange rows) const {
  const Matrix centre = centres(time);
  const std::vector<float> centres_float(centre.values.begin(), centre.values.end());
  const std::vector<double> sums = cumulative(weights_.row(time));
  const RandomStream random = stream_of(parameters_.seed, SimulationStream::component);
  const auto dimensions = static_cast<std::size_t>(parameters_.dimensions);
  SimulatedBlock block{rows.size(), parameters_.dimensions, {}, {}};
  block.points.resize(static_cast<std::size_t>(rows.size()) * dimensions);
  block.labels.resize(static_cast<std::size_t>(rows.size()));
  for (std::size_t i = 0; i < block.labels.size(); ++i) {
    const auto index = static_cast<std::uint64_t>(time * parameters_.cells + rows.begin) + i;
    const auto component = std::upper_bound(sums.begin(), sums.end(), random.uniform(index)) - sums.begin();
    const std::span<float> point(block.points.data() + i * dimensions, dimensions);
    fill_normals(parameters_.seed, SimulationStream::cell, index, point);
    const float* mean = centres_float.data() + static_cast<std::size_t>(component) * dimensions;
    for (std::size_t j = 0; j < dimensions; ++j) point[j] += mean[j];
    block.labels[i] = static_cast<std::int32_t>(component);
  }
  return block;
}

}  // namespace thalweg
