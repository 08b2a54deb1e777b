#include "analysis/sparse_rows.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <random>

namespace thalweg {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

SparsifiedRows sparsified(const std::vector<double>& rows, std::int64_t num_columns, const Sparsification& rule) {
  SparsifiedRows sparse;
  append_sparsified(rows, num_columns, rule, sparse);
  return sparse;
}

const std::vector<double> row = {0.1, 0.4, 0.0, 0.2, 0.2, 0.1};

TEST(SparseRows, TopKKeepsTheLargestAndOfEqualOnesThoseOfSmallerColumn) {
  const SparsifiedRows sparse = sparsified(row, 6, {.kept = KeptEntries::top_k, .top_k = 2, .keep_row_sums = false});
  EXPECT_THAT(sparse.columns, ElementsAre(1, 3));
  EXPECT_THAT(sparse.values, ElementsAre(0.4, 0.2));
  EXPECT_NEAR(sparse.dropped[0], 0.4, 1e-15);
  EXPECT_THAT(sparsified(row, 6, {.top_k = 4}).columns, ElementsAre(0, 1, 3, 4));
}

TEST(SparseRows, ScalingGivesWhatIsKeptTheMassOfTheRow) {
  const SparsifiedRows sparse = sparsified(row, 6, {.top_k = 2});
  EXPECT_NEAR(sparse.values[0] + sparse.values[1], 1.0, 1e-15);
  EXPECT_NEAR(sparse.values[0] / sparse.values[1], 2.0, 1e-15);
  EXPECT_NEAR(sparse.dropped[0], 0.4, 1e-15);
}

TEST(SparseRows, MoreThanThereIsKeepsAllButZeros) {
  const SparsifiedRows sparse = sparsified(row, 6, {.top_k = 100});
  EXPECT_THAT(sparse.columns, ElementsAre(0, 1, 3, 4, 5));
  EXPECT_THAT(sparse.values, Pointwise(DoubleNear(1e-15), {0.1, 0.4, 0.2, 0.2, 0.1}));
  EXPECT_NEAR(sparse.dropped[0], 0.0, 1e-15);
}

TEST(SparseRows, AThresholdCountsInShareOfTheRowsMass) {
  const std::vector<double> rows = {1, 2, 7, 10, 20, 70};
  const SparsifiedRows sparse = sparsified(rows, 3, {.kept = KeptEntries::threshold, .share = 0.2});
  EXPECT_THAT(sparse.row_begin, ElementsAre(0, 2, 4));
  EXPECT_THAT(sparse.columns, ElementsAre(1, 2, 1, 2));
  EXPECT_EQ(sparsified(rows, 3, {.kept = KeptEntries::threshold, .share = 0.0}).columns.size(), 6u);
}

TEST(SparseRows, TheLargestEntryIsKeptWhateverTheThreshold) {
  const std::vector<double> rows = {0.3, 0.3, 0.4};
  EXPECT_THAT(sparsified(rows, 3, {.kept = KeptEntries::threshold, .share = 0.9}).columns, ElementsAre(2));
  EXPECT_THAT(sparsified(rows, 3, {.kept = KeptEntries::least, .least = 5.0}).columns, ElementsAre(2));
  EXPECT_THAT(sparsified(rows, 3, {.kept = KeptEntries::row_mass, .share = 0.0}).columns, ElementsAre(2));
}

TEST(SparseRows, RowMassKeepsTheFewestEntriesThatReachTheShare) {
  EXPECT_THAT(sparsified(row, 6, {.kept = KeptEntries::row_mass, .share = 0.55}).columns, ElementsAre(1, 3));
  EXPECT_THAT(sparsified(row, 6, {.kept = KeptEntries::row_mass, .share = 0.65}).columns, ElementsAre(1, 3, 4));
  EXPECT_EQ(sparsified(row, 6, {.kept = KeptEntries::row_mass, .share = 1.0}).columns.size(), 5u);
}

TEST(SparseRows, RowMassIsTheFewestAmongManyEntriesToo) {
  std::mt19937_64 random(3);
  std::vector<double> many(2000);
  for (double& value : many) value = std::exp(4.0 * std::uniform_real_distribution<>(-1, 1)(random));
  const double mass = std::accumulate(many.begin(), many.end(), 0.0);
  for (const double share : {0.1, 0.5, 0.9, 0.999}) {
    const SparsifiedRows sparse = sparsified(many, 2000, {.kept = KeptEntries::row_mass, .share = share, .keep_row_sums = false});
    const double kept = std::accumulate(sparse.values.begin(), sparse.values.end(), 0.0);
    const double smallest = *std::min_element(sparse.values.begin(), sparse.values.end());
    EXPECT_GE(kept, share * mass * (1 - 1e-12));
    EXPECT_LT(kept - smallest, share * mass);
    std::vector<double> sorted = many;
    std::sort(sorted.rbegin(), sorted.rend());
    EXPECT_EQ(smallest, sorted[sparse.values.size() - 1]);
  }
}

TEST(SparseRows, TopKIsThatOfASortAmongManyEntriesWithTies) {
  std::mt19937_64 random(5);
  for (const int distinct : {1, 3, 40, 100000}) {
    std::vector<double> many(3000);
    for (double& value : many) value = static_cast<double>(random() % static_cast<std::uint64_t>(distinct));
    if (distinct == 40) std::sort(many.begin(), many.end());  // every entry is better than those before
    if (distinct == 1) std::fill(many.begin(), many.end(), 2.0);
    std::vector<std::int64_t> order(many.size());
    std::iota(order.begin(), order.end(), 0);
    std::erase_if(order, [&](std::int64_t j) { return many[static_cast<std::size_t>(j)] == 0.0; });
    std::stable_sort(order.begin(), order.end(), [&](auto left, auto right) { return many[static_cast<std::size_t>(left)] > many[static_cast<std::size_t>(right)]; });
    for (const std::int64_t k : {1, 63, 500, 2999, 5000}) {
      std::vector<std::int64_t> expected(order.begin(), order.begin() + std::min<std::int64_t>(k, std::ssize(order)));
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(sparsified(many, 3000, {.top_k = k}).columns, expected) << distinct << " values, " << k << " kept";
    }
  }
}

TEST(SparseRows, TheSmallestRowMaximumEmptiesNoRow) {
  const std::vector<double> rows = {0.1, 0.5, 0.0, 0.0, 0.2, 0.3};
  const double least = smallest_row_maximum(rows, 2);
  EXPECT_EQ(least, 0.3);
  const SparsifiedRows sparse = sparsified(rows, 2, {.kept = KeptEntries::least, .least = least, .keep_row_sums = false});
  EXPECT_THAT(sparse.row_begin, ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(sparse.values, ElementsAre(0.5, 0.3));
  EXPECT_EQ(smallest_row_maximum(std::vector<double>{0.0, 0.0}, 2), std::numeric_limits<double>::infinity());
}

TEST(SparseRows, RowsWithoutMassAreEmptyAndDropNothing) {
  for (const auto kept : {KeptEntries::top_k, KeptEntries::threshold, KeptEntries::row_mass, KeptEntries::least}) {
    const SparsifiedRows sparse = sparsified({0, 0, 0}, 3, {.kept = kept});
    EXPECT_THAT(sparse.row_begin, ElementsAre(0, 0));
    EXPECT_THAT(sparse.dropped, ElementsAre(0.0));
  }
  EXPECT_THAT(sparsified({}, 3, {}).row_begin, ElementsAre(0));
}

TEST(SparseRows, TilesAppendToWhatIsThere) {
  SparsifiedRows sparse;
  append_sparsified(std::vector<double>{1, 2}, 2, {.top_k = 1}, sparse);
  append_sparsified(std::vector<double>{4, 3, 1, 5}, 2, {.top_k = 1}, sparse);
  EXPECT_THAT(sparse.row_begin, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(sparse.columns, ElementsAre(1, 0, 1));
  EXPECT_THAT(sparse.values, ElementsAre(3, 7, 6));
}

}  // namespace
}  // namespace thalweg
