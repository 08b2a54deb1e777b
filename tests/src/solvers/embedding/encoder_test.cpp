// Encoders against plain loops, and the derivatives of everything that trains them against central differences.
#include "solvers/embedding/encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "geometry/pair_geometry.hpp"
#include "solvers/embedding/adam.hpp"
#include "solvers/embedding/cross_entropy.hpp"

namespace thalweg {
namespace {

using Vector = std::vector<double>;

std::vector<float> features_of(std::int64_t rows, std::int64_t columns, std::uint32_t stream) {
  const RandomStream random{11, stream};
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows * columns; ++i)
    values.push_back(static_cast<float>(random.normal(static_cast<std::uint64_t>(i)) + 0.1 * static_cast<double>(i % columns)));
  return values;
}

Vector draws(std::size_t count, std::uint32_t stream) {
  const RandomStream random{12, stream};
  Vector values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(random.normal(i));
  return values;
}

double dot(const Vector& x, const Vector& y) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

/// The rows of a matrix that a rank owns.
template <class T>
std::vector<T> owned(const Communicator& comm, const std::vector<T>& all, std::int64_t rows) {
  const RowRange own = own_points(rows, comm);
  const auto width = static_cast<std::int64_t>(all.size()) / rows;
  return {all.begin() + own.begin * width, all.begin() + own.end * width};
}

TEST(Encoder, IsTheNetworkOfItsWeights) {
  const std::int64_t rows = 5, p = 3;
  const std::vector<float> features = features_of(rows, p, 1);
  const FeatureScaling scaling = scaling_of(features, p);
  const EncoderShape shape{p, 4, 1, 2, Activation::relu};
  ASSERT_EQ(shape.num_weights(), (3 + 1) * 4 + (4 + 1) * 2);
  Vector weights = draws(static_cast<std::size_t>(shape.num_weights()), 2);
  const Vector z = encode(shape, weights, {scaling, features});
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < 2; ++k) {
      double sum = weights[static_cast<std::size_t>(16 + 8 + k)];
      for (std::int64_t l = 0; l < 4; ++l) {
        double hidden = weights[static_cast<std::size_t>(12 + l)];
        for (std::int64_t c = 0; c < p; ++c) {
          const auto at = static_cast<std::size_t>(c);
          hidden += (static_cast<double>(features[static_cast<std::size_t>(i * p + c)]) - scaling.mean[at]) / scaling.deviation[at] *
                    weights[static_cast<std::size_t>(c * 4 + l)];
        }
        sum += std::max(hidden, 0.0) * weights[static_cast<std::size_t>(16 + l * 2 + k)];
      }
      EXPECT_NEAR(z[static_cast<std::size_t>(i * 2 + k)], sum, 1e-12);
    }
}

TEST(Encoder, ReadsColumnsThatDifferAlone) {
  std::vector<float> features = features_of(40, 3, 3);
  for (std::size_t i = 0; i < 40; ++i) features[3 * i + 1] = 0.7F;
  const FeatureScaling scaling = scaling_of(features, 3);
  EXPECT_EQ(scaling.kept, (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(scaling.num_features, 3);
}

TEST(Encoder, HasTheDerivativesOfDifferencesOnAnyRanks) {
  const auto world = make_world_communicator();
  const std::int64_t rows = 600, p = 7;
  const std::vector<float> all = features_of(rows, p, 4), features = owned(*world, all, rows);
  const FeatureScaling scaling = scaling_of(all, p);
  for (const Activation activation : {Activation::relu, Activation::gelu}) {
    const EncoderShape shape{p, 9, 2, 5, activation};
    Vector weights = draws(static_cast<std::size_t>(shape.num_weights()), 5);  // biases too: none lies on the kink of relu
    for (double& weight : weights) weight *= 0.4;
    const Vector cotangents = draws(static_cast<std::size_t>(rows * shape.dim), 6);
    const Vector gradient =
        weight_gradient(*world, shape, weights, {scaling, features}, owned(*world, cotangents, rows));
    const auto value_at = [&](std::size_t k, double h) {
      Vector moved = weights;
      moved[k] += h;
      return dot(encode(shape, moved, {scaling, all}), cotangents);
    };
    const double largest = *std::max_element(gradient.begin(), gradient.end());
    for (std::size_t k = 0; k < weights.size(); k += 3) {
      const double h = 1e-6, difference = (value_at(k, h) - value_at(k, -h)) / (2.0 * h);
      EXPECT_NEAR(gradient[k], difference, 1e-5 * (std::abs(difference) + 1e-3 * largest)) << "weight " << k;
    }
    const auto self = make_self_communicator();
    EXPECT_EQ(gradient, weight_gradient(*self, shape, weights, {scaling, all}, cotangents)) << "the bits of one rank";
  }
}

TEST(Encoder, HasHeUniformWeightsAndNoBiases) {
  const EncoderShape shape{50, 64, 2, 16, Activation::relu};
  const Vector weights = initial_weights(shape, {1, 2});
  double square = 0.0;
  for (std::int64_t at = 0; at < 50 * 64; ++at) {
    const double weight = weights[static_cast<std::size_t>(at)];
    EXPECT_LE(std::abs(weight), std::sqrt(6.0 / 50.0));
    square += weight * weight;
  }
  EXPECT_NEAR(square / (50 * 64), 2.0 / 50.0, 0.002);
  for (std::int64_t at = 50 * 64; at < 51 * 64; ++at) EXPECT_EQ(weights[static_cast<std::size_t>(at)], 0.0);
  EXPECT_NE(weights[0], initial_weights(shape, {2, 2})[0]);
}

TEST(CrossEntropy, HasTheDerivativesOfDifferencesOnAnyRanks) {
  const auto world = make_world_communicator();
  const std::int64_t n = 300, m = 280, dim = 3;
  TargetCoupling coupling;
  Vector mass;
  for (std::int64_t i = 0; i < n; ++i) coupling.sources.push_back(i);
  for (std::int64_t j = 0; j < m; ++j) coupling.targets.push_back(j);
  for (const double x : draws(static_cast<std::size_t>(n * m), 10)) mass.push_back(x * x / static_cast<double>(n * m));
  coupling.mass = owned(*world, mass, n);
  const CrossEntropyFit fit(*world, coupling, dim, 0.3);
  const Vector x = draws(static_cast<std::size_t>(n * dim), 11), y = draws(static_cast<std::size_t>(m * dim), 12);
  const Vector dx = draws(x.size(), 13), dy = draws(y.size(), 14);
  for (const EmbeddingCost cost : {EmbeddingCost::cosine, EmbeddingCost::sq_euclidean}) {
    const double scale = 5.0;
    const auto at = [&](double h) {
      Vector moved_x = x, moved_y = y;
      for (std::size_t k = 0; k < x.size(); ++k) moved_x[k] += h * dx[k];
      for (std::size_t k = 0; k < y.size(); ++k) moved_y[k] += h * dy[k];
      return fit.evaluate(owned(*world, moved_x, n), owned(*world, moved_y, m), cost, scale);
    };
    const CrossEntropy value = at(0.0);
    const double own = dot(value.source_gradient, owned(*world, dx, n)) + dot(value.target_gradient, owned(*world, dy, m));
    const double product = world->all_reduce(own, Reduction::sum);
    const double difference = (at(1e-5).value - at(-1e-5).value) / 2e-5;
    EXPECT_NEAR(product, difference, 1e-7 * std::abs(difference) + 1e-9);
  }
}

/// -sum P* (log softmax_j + log softmax_i) by plain loops.
TEST(CrossEntropy, IsThatOfPlainLoops) {
  const auto self = make_self_communicator();
  const TargetCoupling coupling{{0, 1}, {0, 1, 2}, {.2, .1, .1, .3, .2, .1}};
  const Vector x = {1, 0, .6, .8}, y = {.8, .6, 0, 1, 1, 0};  // of length 1
  const double tau = 0.2;
  double expected = 0.0;
  const auto s = [&](std::size_t i, std::size_t j) { return (x[2 * i] * y[2 * j] + x[2 * i + 1] * y[2 * j + 1] - 1.0) / tau; };
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      double row = 0.0, column = 0.0;
      for (std::size_t k = 0; k < 3; ++k) row += std::exp(s(i, k));
      for (std::size_t k = 0; k < 2; ++k) column += std::exp(s(k, j));
      expected -= coupling.mass[3 * i + j] * (2.0 * s(i, j) - std::log(row) - std::log(column));
    }
  const CrossEntropyFit fit(*self, coupling, 2, tau);
  EXPECT_NEAR(fit.evaluate(x, y, EmbeddingCost::cosine, 1.0).value, expected, 1e-10);
}

TEST(Adam, MakesStepsOfTheLearningRateAtFirstAndClips) {
  AdamState state;
  Vector weights = {1.0, -2.0};
  adam_step({.learning_rate = 0.1, .clip = 1.0}, Vector{300.0, -400.0}, state, weights);
  EXPECT_NEAR(weights[0], 0.9, 1e-7);
  EXPECT_NEAR(weights[1], -1.9, 1e-7);
  EXPECT_NEAR(state.first[0], 0.1 * 0.6, 1e-15);
  EXPECT_NEAR(state.second[1], 0.001 * 0.64, 1e-15);
  for (int step = 0; step < 2000; ++step)
    adam_step({.learning_rate = 0.01, .clip = 1.0}, Vector{weights[0] - 3.0, weights[1] + 1.0}, state, weights);
  EXPECT_NEAR(weights[0], 3.0, 1e-2);
  EXPECT_NEAR(weights[1], -1.0, 1e-2);
}

}  // namespace
}  // namespace thalweg
