#include "job/plan.hpp"

#include <gmock/gmock.h>

#include "distributed/error.hpp"
#include "distributed/partition.hpp"

namespace thalweg {
namespace {

constexpr WideInt gibibyte = WideInt{1} << 30;

const MemoryItem& item(const MemoryPlan& plan, const std::string& name, bool on_device = false) {
  for (const MemoryItem& found : plan.items)
    if (found.name == name && found.on_device == on_device) return found;
  throw std::out_of_range(name);
}

PlanInput example() {
  PlanInput input;
  input.cells_per_slice = {100000, 999, 35000};
  input.num_features = 50;
  input.types = {10, 20, 30};
  return input;
}

TEST(Plan, CountsTheRowsOfTheRankThatOwnsMost) {
  const PlanInput input = example();
  for (const int ranks : {1, 2, 3, 7, 64, 1000}) {
    std::int64_t most = 0, most_padded = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      std::int64_t rows = 0, padded = 0;
      for (const std::int64_t n : input.cells_per_slice) {
        const std::int64_t mine = Partition(n, ranks, 256).rows_of(rank).size();
        rows += mine;
        padded += (mine + 255) / 256 * 256;
      }
      most = std::max(most, rows);
      most_padded = std::max(most_padded, padded);
    }
    const MemoryPlan plan = plan_memory(input, ranks);
    const auto rows = static_cast<std::int64_t>(item(plan, "features as read").bytes / 200);
    EXPECT_GE(rows, most);
    EXPECT_LE(rows, most + 3 * 256);
    EXPECT_TRUE(item(plan, "features, packed").bytes == 200 * WideInt{most_padded}) << ranks;
    EXPECT_TRUE(item(plan, "features as read").all_ranks == WideInt{200} * (100000 + 999 + 35000));
  }
}

TEST(Plan, DoublesTheTilesAndNotWhatWasReadInDoublePrecision) {
  PlanInput input = example();
  const MemoryPlan single = plan_memory(input, 2);
  input.is_double = true;
  const MemoryPlan twice = plan_memory(input, 2);
  EXPECT_TRUE(item(twice, "features, packed").bytes == 2 * item(single, "features, packed").bytes);
  EXPECT_TRUE(item(twice, "weights, packed").bytes == 2 * item(single, "weights, packed").bytes);
  EXPECT_TRUE(item(twice, "features as read").bytes == item(single, "features as read").bytes);
}

TEST(Plan, PutsTilesOnTheDeviceAndReadsOnTheHost) {
  PlanInput input = example();
  input.on_device = true;
  const MemoryPlan plan = plan_memory(input, 1);
  EXPECT_TRUE(item(plan, "features, packed", true).bytes > 0);
  EXPECT_TRUE(plan.reading.device == 0);
  EXPECT_TRUE(plan.peak().device == plan.solving.device);
  EXPECT_FALSE(fits(input, 1, {.host = gibibyte * 100, .device = 1}));
  EXPECT_TRUE(fits(input, 1, {.host = gibibyte * 100, .device = gibibyte}));
}

TEST(Plan, HoldsTheRowsOfStoredCostsThatADeviceMultipliesInItsMemory) {
  PlanInput input;
  input.command = "gromov";
  input.cells_per_slice = {20000, 2000};
  input.num_features = input.other_features = 10;
  input.cost_bytes = 1;
  const auto on_device = [&](std::int64_t ranks) { return static_cast<double>(plan_memory(input, ranks).solving.device); };
  EXPECT_EQ(on_device(1), 0.0);
  input.on_device = true;
  const double rows_of_both = 4.0 * 20000 * 22000, linear_both_ways = 2.0 * 4.0 * 20000 * 2000;
  EXPECT_GT(on_device(1), rows_of_both + linear_both_ways);
  EXPECT_LT(on_device(1), 1.2 * (rows_of_both + linear_both_ways));
  const auto messages = static_cast<double>(item(plan_memory(input, 4), "messages between GPUs", true).bytes);
  EXPECT_GT(messages, 0.0);
  EXPECT_LT(on_device(4) - messages, 0.35 * on_device(1));
}

TEST(Plan, AddsItemsOfAPhaseAndTakesTheLargestPhase) {
  const MemoryPlan plan = plan_memory(example(), 3);
  WideInt solving = 0;
  for (const MemoryItem& held : plan.items)
    if (held.while_solving) solving += held.bytes;
  EXPECT_TRUE(plan.solving.host == solving);
  EXPECT_TRUE(plan.peak().host == std::max({plan.reading.host, plan.solving.host, plan.writing.host}));
}

TEST(Plan, DoesNotOverflowForSlicesOfBillionsOfCells) {
  PlanInput input;
  input.cells_per_slice.assign(100, 1000000000);
  input.num_features = 2000;
  input.types = {2000};
  input.is_double = true;
  input.threads = 64;
  const WideInt padded = WideInt{3906250} * 256 * 100;
  EXPECT_TRUE(item(plan_memory(input, 1), "features, packed").bytes == padded * 2000 * 8);
  EXPECT_TRUE(pass_cost(input).flops == WideInt{100} * 1000000000 * (4 * 2000 * 2000 + 2 * 2000 * 2000));
  EXPECT_TRUE(pass_cost(input).reduced_bytes == WideInt{100} * 8 * (2002 * 2000 + 2000 * 2000));

  input.cells_per_slice = {std::int64_t{1} << 60};
  input.num_features = 1 << 30;
  input.types = {1 << 30};
  EXPECT_TRUE(pass_cost(input).flops == (WideInt{6} << 60) << 60);
  EXPECT_TRUE(item(plan_memory(input, 1), "features, packed").bytes == (WideInt{8} << 60) << 30);
}

TEST(Plan, FindsTheFewestRanks) {
  PlanInput input = example();
  input.cells_per_slice = {20000000, 3, 50000000};
  const RankBudget budget{.host = gibibyte, .device = 0};
  const std::int64_t ranks = ranks_needed(input, budget);
  ASSERT_GT(ranks, 1);
  EXPECT_TRUE(fits(input, ranks, budget));
  EXPECT_FALSE(fits(input, ranks - 1, budget));
  EXPECT_EQ(ranks_needed(example(), {.host = 100 * gibibyte, .device = 0}), 1);
  EXPECT_EQ(ranks_needed(input, {.host = 1000, .device = 0}), 0);
}

TEST(Plan, FindsTheMostCellsAndFeatures) {
  PlanInput input = example();
  const RankBudget budget{.host = gibibyte, .device = 0};
  const std::int64_t cells = most_cells(input, 2, budget), features = most_features(input, 2, budget);
  PlanInput larger = input;
  larger.num_features = features;
  EXPECT_TRUE(fits(larger, 2, budget));
  larger.num_features = features + 1;
  EXPECT_FALSE(fits(larger, 2, budget));
  const auto scaled = [&](double factor) {
    PlanInput changed = input;
    for (std::int64_t& n : changed.cells_per_slice)
      n = static_cast<std::int64_t>(static_cast<double>(n) * static_cast<double>(cells) * factor / 135999.0);
    return changed;
  };
  EXPECT_TRUE(fits(scaled(0.999), 2, budget));
  EXPECT_FALSE(fits(scaled(1.01), 2, budget));
  EXPECT_EQ(most_cells(input, 2, {.host = 1000, .device = 0}), 0);
}

TEST(Plan, RefusesRanksForOtherSlices) {
  PlanInput input = example();
  input.types = {10, 20};
  EXPECT_THROW(plan_memory(input, 1), ConfigError);
  input.types = {10};
  EXPECT_NO_THROW(plan_memory(input, 1));
}

}  // namespace
}  // namespace thalweg
