#include <gmock/gmock.h>

#include "geometry/last_level_cache.hpp"
#include "job/plan.hpp"
#include "kernels/pair_strip_host.hpp"

namespace thalweg {
namespace {

PlanInput example() {
  PlanInput input;
  input.command = "transport";
  input.cells_per_slice = {100000, 60000};
  input.num_features = 30;
  input.acceleration_history = 8;
  input.threads = 4;
  return input;
}

WideInt bytes_of(const MemoryPlan& plan, const std::string& name) {
  WideInt sum = 0;
  for (const MemoryItem& item : plan.items)
    if (item.name.starts_with(name)) sum += item.bytes;
  return sum;
}

TEST(PlanTransport, HoldsThePointsOfBothSidesOnEveryRank) {
  for (const std::int64_t ranks : {1, 2, 16}) {
    const MemoryPlan plan = plan_memory(example(), ranks);
    EXPECT_TRUE(bytes_of(plan, "points of both sides") == WideInt{4} * 30 * 160000) << ranks;
  }
  EXPECT_LT(plan_memory(example(), 16).peak().host, plan_memory(example(), 1).peak().host);
}

TEST(PlanTransport, SharesThePointsOutInARing) {
  PlanInput ring = example();
  ring.num_features = 200;
  const PlanInput whole = ring;
  ring.ring = true;
  EXPECT_TRUE(bytes_of(plan_memory(ring, 16), "strips") == 0);
  EXPECT_TRUE(bytes_of(plan_memory(ring, 16), "points of both sides") <= WideInt{4} * 200 * (160000 / 16 + 512));
  EXPECT_LT(4 * plan_memory(ring, 16).peak().host, plan_memory(whole, 16).peak().host);
  EXPECT_GT(most_features(ring, 16, {.host = WideInt{1} << 31}), 4 * most_features(whole, 16, {.host = WideInt{1} << 31}));
}

TEST(PlanTransport, CountsStripsOfAllThreadsAndTheHistory) {
  PlanInput input = example();
  input.form = "strip";
  const MemoryPlan plan = plan_memory(input, 1);
  EXPECT_TRUE(bytes_of(plan, "strips of the threads") >= WideInt{4} * strip_column_bytes(tile_rows / 4, 4) * 60000);
  EXPECT_TRUE(bytes_of(plan, "history of the iteration") == WideInt{16} * 8 * 60000);
  input.threads = 8;
  EXPECT_TRUE(bytes_of(plan_memory(input, 1), "strips of the threads") == 2 * bytes_of(plan, "strips of the threads"));
}

TEST(PlanTransport, CountsStripsOnlyWhereTheyAreUsed) {
  PlanInput input = example();
  input.form = "two_pass";
  EXPECT_TRUE(bytes_of(plan_memory(input, 1), "strips of the threads") == 0);
  input.form = "auto";
  EXPECT_TRUE(bytes_of(plan_memory(input, 1), "strips of the threads") <= WideInt{input.threads} * cache_bytes_per_processor());
  input.cells_per_slice[1] = 1'000'000'000;
  EXPECT_TRUE(bytes_of(plan_memory(input, 1), "strips of the threads") == 0);
}

TEST(PlanTransport, IsLinearInCellsUnlessCostsAreDense) {
  PlanInput twice = example();
  for (std::int64_t& cells : twice.cells_per_slice) cells *= 10;
  EXPECT_LT(plan_memory(twice, 1).peak().host, 11 * plan_memory(example(), 1).peak().host);
  PlanInput dense = example();
  dense.dense_costs = true;
  EXPECT_GT(plan_memory(dense, 1).peak().host, WideInt{4} * 100000 * 60000);
}

TEST(PlanTransport, AddsWhatProjectionsLabelsDivergenceAndExportNeed) {
  const MemoryPlan plan = plan_memory(example(), 1);
  PlanInput input = example();
  input.projected_columns = input.widest_projection = 2000;
  EXPECT_GT(plan_memory(input, 1).writing.host, plan.writing.host + WideInt{4} * 160000 * 2000);
  input = example();
  input.label_columns = 100;
  EXPECT_GT(plan_memory(input, 1).writing.host, plan.writing.host + WideInt{8} * 160000 * 100);
  input = example();
  input.with_divergence = true;
  EXPECT_GT(plan_memory(input, 1).solving.host, plan.solving.host + WideInt{4} * 30 * 200000);
  input = example();
  input.exports_rows = true;
  EXPECT_GT(plan_memory(input, 1).writing.host, plan.writing.host + (WideInt{32} << 20));
  const WideInt all_entries = plan_memory(input, 1).writing.host;
  input.exported_per_row = 50;
  EXPECT_LT(plan_memory(input, 1).writing.host, all_entries - (WideInt{16} << 20));
  input.exported_per_row = 0;
  input.exports_dense = true;
  EXPECT_GT(plan_memory(input, 1).writing.host, WideInt{8} * 100000 * 60000);
}

TEST(PlanTransport, HasRoomForABillionCellsASide) {
  PlanInput input = example();
  input.cells_per_slice = {1000000000, 1000000000};
  const MemoryPlan plan = plan_memory(input, 1);
  EXPECT_GT(plan.peak().host, WideInt{240} * 1000000000);
  EXPECT_LT(plan.peak().host, WideInt{20000} * 1000000000);
  EXPECT_FALSE(fits(input, 1, {.host = WideInt{1} << 34}));
  EXPECT_GT(most_cells(input, 1, {.host = WideInt{1} << 34}), 1000000);
}

}  // namespace
}  // namespace thalweg
