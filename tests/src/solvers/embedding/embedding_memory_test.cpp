// Steps from factored costs store nothing n x m.
#include <gtest/gtest.h>

#include "embedding_cases.hpp"
#include "tests/support/counted_memory.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// A case of factors alone: the full costs of EmbeddingCase would be what must not be there.
struct FactoredCase {
  std::int64_t n, h = 4;
  Vector weights, v, w, z_x, z_y;
  EmbeddingProblem problem;

  explicit FactoredCase(std::int64_t count)
      : n(count),
        weights(uneven_weights(n, 0.0)),
        v(normals(n * 3, 1)),
        w(normals(n * 3, 2)),
        z_x(normals(n * h, 3)),
        z_y(normals(n * h, 4)) {
    problem.dimension = h;
    problem.a = problem.b = weights;
    problem.source = FactoredCosts{{n, 3, std::span<const double>(v)}, {1.0, 0.5, 0.2}, 1.0};
    problem.target = FactoredCosts{{n, 3, std::span<const double>(w)}, {1.0, 0.4, 0.3}, 1.0};
    problem.source_graph = problem.target_graph = ring_graph(n);
  }
};

std::int64_t peak_of_step(std::int64_t n, EmbeddingLossKind kind) {
  const std::unique_ptr<Communicator> self = make_self_communicator();
  const FactoredCase of(n);
  EmbeddingLossSettings settings;
  settings.loss = kind;
  settings.rank_all_columns = 16;
  settings.rank_columns = 16;
  settings.lambda_spectral = 0.1;
  settings.sinkhorn_iterations = 5;
  const std::int64_t before = live_bytes;
  peak_bytes = before;
  EmbeddingLoss loss({*self}, of.problem, settings);
  const EmbeddingEvaluation now = loss.evaluate(of.z_x, of.z_y, 0.5, EvaluationMode::gradient);
  EXPECT_GT(now.gw, 0.0);
  return peak_bytes - before;
}

TEST(EmbeddingMemory, GrowsWithTheCellsAndNotWithTheirPairs) {
  for (const EmbeddingLossKind kind : {EmbeddingLossKind::gw, EmbeddingLossKind::frob, EmbeddingLossKind::rank}) {
    const std::int64_t small = peak_of_step(2048, kind), large = peak_of_step(8192, kind);
    EXPECT_LT(large, 4.5 * static_cast<double>(small));
    EXPECT_LT(large, std::int64_t{8192} * 8192 / 2);  // bytes: an eighth of a float for each pair
  }
}

}  // namespace
}  // namespace thalweg
