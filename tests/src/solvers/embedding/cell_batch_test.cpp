// Batches of cells: parts of the problem, the same on any number of ranks.
#include "solvers/embedding/cell_batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "embedding_cases.hpp"
#include "solvers/embedding/gradient_check.hpp"
#include "training_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

/// Features that name their cell.
struct Named {
  std::vector<float> source, target;
  FeatureScaling of_source{1, {0}, {0.0}, {1.0}}, of_target{1, {0}, {0.0}, {1.0}};

  Named(std::int64_t n, std::int64_t m) {
    for (std::int64_t i = 0; i < n; ++i) source.push_back(static_cast<float>(i));
    for (std::int64_t j = 0; j < m; ++j) target.push_back(static_cast<float>(j));
  }
  EncoderInputs inputs() const { return {{of_source, source}, {of_target, target}}; }
};

std::vector<std::int64_t> all_of(const Communicator& comm, const EncoderInput& input) {
  const std::vector<float> all = comm.all_gather(input.features);
  return {all.begin(), all.end()};
}

struct Batches : testing::TestWithParam<bool> {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  EmbeddingCase of{700, 560};
  Named named{700, 560};
  bool is_stored = GetParam();

  EmbeddingEvaluation evaluate(const EmbeddingProblem& problem, std::span<const double> x,
                               std::span<const double> y) const {
    EmbeddingLossSettings settings = exact_settings();
    settings.lambda_spectral = 0.1;
    settings.lambda_fused = is_stored ? 0.0 : 0.2;
    settings.lambda_anchor = 0.1;
    EmbeddingLoss loss({*comm, Precision::float64}, problem, settings);
    return loss.evaluate(x, y, 0.05, EvaluationMode::gradient);
  }
};

TEST_P(Batches, OfAllCellsAreTheProblem) {
  EmbeddingCase square(560, 560);
  CasePart part(*comm, square, is_stored, !is_stored);
  part.problem.anchors.pairs = {{3, 55}, {559, 2}};
  const Named cells(560, 560);
  const CellBatch batch(*comm, part.problem, cells.inputs(), 560, {4, 0, 0});
  const EmbeddingEvaluation wanted = evaluate(part.problem, part.z_x, part.z_y),
                            found = evaluate(batch.problem(), part.z_x, part.z_y);
  EXPECT_NEAR(found.total, wanted.total, 1e-12 * wanted.total);
  EXPECT_NEAR(found.spectral, wanted.spectral, 1e-12 * wanted.spectral);
  EXPECT_EQ(found.source_gradient.size(), wanted.source_gradient.size());
  EXPECT_EQ(all_of(*comm, batch.cells().source).back(), 559);
}

TEST_P(Batches, HaveTheCostsAndAnchorsOfTheirCells) {
  CasePart part(*comm, of, is_stored, !is_stored);
  for (std::int64_t i = 0; i < 500; i += 3) part.problem.anchors.pairs.emplace_back(i, i + 11);
  for (std::int64_t i = 0; i < of.n; ++i) part.problem.anchors.source_classes.push_back(static_cast<int>(i % 5));
  for (std::int64_t j = 0; j < of.m; ++j) part.problem.anchors.target_classes.push_back(static_cast<int>(j % 4));
  const CellBatch batch(*comm, part.problem, named.inputs(), 300, {4, 0, 2});
  const auto rows = all_of(*comm, batch.cells().source), columns = all_of(*comm, batch.cells().target);
  ASSERT_EQ(rows.size(), 300U);
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
  EXPECT_EQ(std::set<std::int64_t>(columns.begin(), columns.end()).size(), 300U);
  const RowRange own = own_points(300, *comm);
  double mass = 0.0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    mass += batch.problem().a[k];
    EXPECT_EQ(batch.problem().anchors.source_classes[k], rows[k] % 5);
    EXPECT_NEAR(batch.problem().a[k] / batch.problem().a[0],
                of.a[static_cast<std::size_t>(rows[k])] / of.a[static_cast<std::size_t>(rows[0])], 1e-12);
  }
  EXPECT_NEAR(mass, 1.0, 1e-12);
  if (const auto* stored = std::get_if<StoredIntraCosts>(&batch.problem().source)) {
    const auto& values = std::get<std::span<const double>>(stored->values);
    ASSERT_EQ(values.size(), static_cast<std::size_t>(own.size() * 300));
    for (std::int64_t i = own.begin; i < own.end; ++i)
      for (std::size_t k = 0; k < 300; ++k)
        EXPECT_EQ(values[static_cast<std::size_t>(i - own.begin) * 300 + k],
                  of.x_costs[static_cast<std::size_t>(rows[static_cast<std::size_t>(i)] * of.n + rows[k])]);
  }
  const std::size_t wanted = static_cast<std::size_t>(
      std::count_if(part.problem.anchors.pairs.begin(), part.problem.anchors.pairs.end(), [&](const auto& pair) {
        return std::binary_search(rows.begin(), rows.end(), pair.first) &&
               std::binary_search(columns.begin(), columns.end(), pair.second);
      }));
  ASSERT_EQ(batch.problem().anchors.pairs.size(), wanted);
  ASSERT_GT(wanted, 0U);
  for (const auto& [i, j] : batch.problem().anchors.pairs)
    EXPECT_EQ(rows[static_cast<std::size_t>(i)] + 11, columns[static_cast<std::size_t>(j)]);
}

TEST_P(Batches, AreDrawnAnewAndAlikeOnAnyNumberOfRanks) {
  const auto self = make_self_communicator();
  CasePart part(*comm, of, is_stored, false), alone(*self, of, is_stored, false);
  std::vector<int> seen(700, 0);
  std::vector<std::int64_t> before;
  for (std::int64_t step = 0; step < 40; ++step) {
    const CellBatch batch(*comm, part.problem, named.inputs(), 256, {4, 1, step});
    const CellBatch single(*self, alone.problem, named.inputs(), 256, {4, 1, step});
    const auto rows = all_of(*comm, batch.cells().source);
    EXPECT_EQ(rows, all_of(*self, single.cells().source));
    EXPECT_NE(rows, before);
    before = rows;
    for (const std::int64_t row : rows) ++seen[static_cast<std::size_t>(row)];
  }
  // Each cell is drawn 40 * 256 / 700 = 14.6 times in the mean, with a deviation of 3.
  EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 2);
  EXPECT_LT(*std::max_element(seen.begin(), seen.end()), 28);
}

TEST_P(Batches, AreNoLargerThanASide) {
  CasePart part(*comm, of, is_stored, false);
  EXPECT_THROW(CellBatch(*comm, part.problem, named.inputs(), 600, {4, 0, 0}), DataError);
}

INSTANTIATE_TEST_SUITE_P(Forms, Batches, testing::Bool(),
                         [](const auto& with) { return std::string(with.param ? "Stored" : "Factored"); });

/// Batches lower the loss of all cells; the last steps and what is kept are of all.
TEST(TrainingByBatches, LowersTheLossOfAllCells) {
  const auto comm = make_world_communicator();
  const Context context{*comm, Precision::float64, Device::cpu, 4};
  const Curve curve(*comm, 600, 7);
  TrainingProblem problem = curve.problem(4);
  problem.couplings.push_back(curve.truth(*comm));
  TrainingSettings settings = settings_of(30, 0);
  settings.batch = 256;
  settings.full_every = 4;
  settings.closing_steps = 10;
  const TrainedEncoders trained = train_encoders(context, problem, settings);
  std::int64_t batches = 0;
  for (const TrainingRecord& step : trained.history) batches += step.is_batch ? 1 : 0;
  EXPECT_EQ(batches, 20);
  EXPECT_FALSE(trained.history.back().is_batch);
  EXPECT_LT(trained.starts[0].total, trained.starts[0].fitted_total);
}

TEST(GradientCheck, DrawsCellsOfWeight) {
  const auto comm = make_world_communicator();
  const Context context{*comm, Precision::float64, Device::cpu, 4};
  const Curve curve(*comm, 60, 7);
  TrainingProblem problem = curve.problem(4);
  problem.loss.a.assign(60, 1.0 / 59.0);
  problem.loss.a[3] = 0.0;
  const std::vector<double> weights = initial_weights(problem.encoders, 4, 0);
  const double error =
      gradient_error(context, problem.loss, {}, problem.encoders, weights, problem.cells, 0.1, /*scale=*/0.0);
  EXPECT_GT(error, 0.0);
  EXPECT_LT(error, 1e-5);
}

}  // namespace
}  // namespace thalweg
