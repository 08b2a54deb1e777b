// Losses, gradients and trajectories on any number of ranks equal those of one.
#include <gtest/gtest.h>

#include "embedding_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct OnRanks : testing::TestWithParam<std::tuple<EmbeddingLossKind, bool>> {
  std::unique_ptr<Communicator> world = make_world_communicator(), self = make_self_communicator();
  EmbeddingCase of{700, 560};   // three blocks of rows each, the last one ragged
  EmbeddingCase few{300, 270};  // two

  EmbeddingLossSettings settings() const {
    EmbeddingLossSettings with = exact_settings();
    with.loss = std::get<0>(GetParam());
    with.symmetrise = with.loss == EmbeddingLossKind::frob;
    with.rank_all_columns = std::get<1>(GetParam()) ? 4096 : 64;
    with.rank_columns = 64;
    with.lambda_entropy = 0.05;
    with.lambda_spectral = 0.1;
    with.lambda_fused = 0.2;
    with.lambda_anchor = 0.1;
    return with;
  }
  static CasePart part_of(const Communicator& comm, const EmbeddingCase& of) {
    CasePart part(comm, of, std::get<1>(GetParam()), true);
    part.problem.anchors.pairs = {{3, of.m - 5}, {of.n - 1, 2}, {260, 260}};
    for (std::int64_t i = 0; i < of.n; ++i) part.problem.anchors.source_classes.push_back(static_cast<int>(i % 5) - 1);
    for (std::int64_t j = 0; j < of.m; ++j) part.problem.anchors.target_classes.push_back(static_cast<int>(j % 4) - 1);
    return part;
  }
};

void expect_part(const Vector& found, const Vector& all, RowRange rows, std::int64_t width, double tolerance) {
  double size = 0.0;
  for (const double value : all) size = std::max(size, std::abs(value));
  ASSERT_EQ(found.size(), static_cast<std::size_t>(rows.size() * width));
  for (std::size_t k = 0; k < found.size(); ++k)
    EXPECT_NEAR(found[k], all[static_cast<std::size_t>(rows.begin * width) + k], tolerance * size);
}

TEST_P(OnRanks, GivesTheNumbersOfOne) {
  const CasePart here = part_of(*world, of), alone = part_of(*self, of);
  EmbeddingLoss loss({*world, Precision::float64}, here.problem, settings()),
      single({*self, Precision::float64}, alone.problem, settings());
  const EmbeddingEvaluation now = loss.evaluate(here.z_x, here.z_y, 0.05, EvaluationMode::gradient);
  const EmbeddingEvaluation wanted = single.evaluate(alone.z_x, alone.z_y, 0.05, EvaluationMode::gradient);
  EXPECT_NEAR(now.total, wanted.total, 1e-11 * wanted.total);
  EXPECT_NEAR(now.gw, wanted.gw, 1e-11 * wanted.gw);
  EXPECT_NEAR(now.anchor, wanted.anchor, 1e-11 * wanted.anchor);
  EXPECT_EQ(now.sinkhorn_iterations, wanted.sinkhorn_iterations);
  expect_part(now.source_gradient, wanted.source_gradient, here.rows, of.h, 1e-9);
  expect_part(now.target_gradient, wanted.target_gradient, here.columns, of.h, 1e-9);
}

/// Fifty steps along the gradient at the tolerances of training.
Vector descent(EmbeddingLoss& loss, Vector& x, Vector& y) {
  Vector totals;
  for (int step = 0; step < 50; ++step) {
    const EmbeddingEvaluation now = loss.evaluate(x, y, 0.05, EvaluationMode::gradient);
    totals.push_back(now.total);
    for (std::size_t k = 0; k < x.size(); ++k) x[k] -= 20.0 * now.source_gradient[k];
    for (std::size_t k = 0; k < y.size(); ++k) y[k] -= 20.0 * now.target_gradient[k];
  }
  return totals;
}

TEST_P(OnRanks, GoesTheWayOfOne) {
  CasePart here = part_of(*world, few), alone = part_of(*self, few);
  EmbeddingLossSettings with = settings();
  with.sinkhorn_iterations = EmbeddingLossSettings{}.sinkhorn_iterations;
  with.sinkhorn_tolerance = EmbeddingLossSettings{}.sinkhorn_tolerance;
  with.cg_tolerance = EmbeddingLossSettings{}.cg_tolerance;
  EmbeddingLoss loss({*world, Precision::float64}, here.problem, with),
      single({*self, Precision::float64}, alone.problem, with);
  const Vector found = descent(loss, here.z_x, here.z_y), wanted = descent(single, alone.z_x, alone.z_y);
  EXPECT_LT(wanted.back(), wanted.front());
  for (std::size_t step = 0; step < found.size(); ++step)
    EXPECT_NEAR(found[step], wanted[step], 1e-8 * wanted[step]) << step;
  expect_part(here.z_x, alone.z_x, here.rows, few.h, 1e-8);
}

INSTANTIATE_TEST_SUITE_P(Losses, OnRanks,
                         testing::Combine(testing::Values(EmbeddingLossKind::gw, EmbeddingLossKind::frob,
                                                          EmbeddingLossKind::rank),
                                          testing::Bool()),
                         [](const auto& with) { return "case" + std::to_string(with.index); });

}  // namespace
}  // namespace thalweg
