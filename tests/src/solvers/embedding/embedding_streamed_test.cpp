// Losses and gradients from factors equal those of stored costs, on sizes that fill no tile.
#include <gtest/gtest.h>

#include "embedding_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Comparison {
  const char* name;
  EmbeddingLossKind loss = EmbeddingLossKind::gw;
  bool symmetrise = false;
  Precision precision = Precision::float64;
  double entropy = 0.0, fused = 0.0;
  EmbeddingCost cost = EmbeddingCost::cosine;
  std::int64_t all_columns = 4096;
};

double relative_distance(const Vector& x, const Vector& y) {
  double distance = 0.0, size = 0.0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    distance += std::pow(x[k] - y[k], 2);
    size += y[k] * y[k];
  }
  return std::sqrt(distance / size);
}

struct StreamedLoss : testing::TestWithParam<Comparison> {
  std::unique_ptr<Communicator> self = make_self_communicator();

  static const EmbeddingCase& large_case() {
    static const EmbeddingCase of(700, 613, 16);
    return of;
  }
  EmbeddingEvaluation evaluate(bool is_stored) const {
    const Comparison& with = GetParam();
    const CasePart part(*self, large_case(), is_stored, with.fused != 0.0);
    EmbeddingLossSettings settings = exact_settings();
    settings.loss = with.loss;
    settings.symmetrise = with.symmetrise;
    settings.lambda_entropy = with.entropy;
    settings.lambda_fused = with.fused;
    settings.cost = with.cost;
    settings.rank_all_columns = with.all_columns;
    settings.sinkhorn_tolerance = with.precision == Precision::float64 ? 1e-13 : 1e-6;
    settings.sinkhorn_iterations = 300;
    settings.cg_tolerance = with.precision == Precision::float64 ? 1e-12 : 1e-7;
    EmbeddingLoss loss({*self, with.precision}, part.problem, settings);
    return loss.evaluate(part.z_x, part.z_y, 0.1, EvaluationMode::gradient);
  }
};

TEST_P(StreamedLoss, EqualsTheStoredOne) {
  const double tolerance = GetParam().precision == Precision::float64 ? 1e-10 : 1e-5;
  const EmbeddingEvaluation stored = evaluate(true), streamed = evaluate(false);
  EXPECT_NEAR(streamed.gw, stored.gw, tolerance * stored.gw);
  EXPECT_NEAR(streamed.loss, stored.loss, tolerance * stored.loss);
  EXPECT_NEAR(streamed.total, stored.total, tolerance * stored.total);
  EXPECT_LE(relative_distance(streamed.source_gradient, stored.source_gradient), tolerance);
  EXPECT_LE(relative_distance(streamed.target_gradient, stored.target_gradient), tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, StreamedLoss,
    testing::Values(
        Comparison{.name = "Gw"}, Comparison{.name = "GwFloat", .precision = Precision::float32},
        Comparison{.name = "GwWithEntropy", .entropy = 0.01},
        Comparison{.name = "GwFloatWithEntropy", .precision = Precision::float32, .entropy = 0.01},
        Comparison{.name = "FrobBothWays", .loss = EmbeddingLossKind::frob, .symmetrise = true},
        Comparison{.name = "FrobFloat", .loss = EmbeddingLossKind::frob, .precision = Precision::float32},
        Comparison{.name = "Rank", .loss = EmbeddingLossKind::rank},
        Comparison{
            .name = "RankOfSomeColumns", .loss = EmbeddingLossKind::rank, .symmetrise = true, .all_columns = 100},
        Comparison{
            .name = "RankFloat", .loss = EmbeddingLossKind::rank, .precision = Precision::float32, .all_columns = 100},
        Comparison{.name = "GwOfDistances", .entropy = 0.02, .fused = 0.3, .cost = EmbeddingCost::sq_euclidean}),
    [](const auto& with) { return std::string(with.param.name); });

TEST(SquaredDistancesWithin, EqualTheStoredOnes) {
  const std::unique_ptr<Communicator> self = make_self_communicator();
  const EmbeddingCase of(300, 270);
  CasePart stored(*self, of, true, false), streamed(*self, of, true, false);
  const auto distances = [](const Vector& points, std::int64_t n) {
    Vector costs;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t k = 0; k < n; ++k) {
        double sum = 0.0;
        for (std::int64_t l = 0; l < 3; ++l)
          sum += std::pow(points[static_cast<std::size_t>(3 * i + l)] - points[static_cast<std::size_t>(3 * k + l)], 2);
        costs.push_back(sum / 4.0);
      }
    return costs;
  };
  const Vector x = distances(of.v, of.n), y = distances(of.w, of.m);
  stored.problem.source = StoredIntraCosts{of.n, std::span<const double>(x), 1.0};
  stored.problem.target = StoredIntraCosts{of.m, std::span<const double>(y), 1.0};
  streamed.problem.source = SquaredDistances{{of.n, 3, std::span<const double>(of.v)}, 4.0};
  streamed.problem.target = SquaredDistances{{of.m, 3, std::span<const double>(of.w)}, 4.0};
  for (const EmbeddingLossKind kind : {EmbeddingLossKind::gw, EmbeddingLossKind::frob, EmbeddingLossKind::rank}) {
    EmbeddingLossSettings settings = exact_settings();
    settings.loss = kind;
    EmbeddingLoss first({*self, Precision::float64}, stored.problem, settings),
        second({*self, Precision::float64}, streamed.problem, settings);
    const EmbeddingEvaluation wanted = first.evaluate(of.z_x, of.z_y, 0.1, EvaluationMode::gradient);
    const EmbeddingEvaluation found = second.evaluate(of.z_x, of.z_y, 0.1, EvaluationMode::gradient);
    EXPECT_NEAR(found.total, wanted.total, 1e-10 * wanted.total);
    EXPECT_LE(relative_distance(found.source_gradient, wanted.source_gradient), 1e-9);
  }
}

}  // namespace
}  // namespace thalweg
