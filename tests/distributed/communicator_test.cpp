#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "communicator_under_test.hpp"
#include "distributed/nested_clock.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

std::unique_ptr<Communicator> communicator_under_test() { return make_world_communicator(); }

namespace {

TEST(NestedClock, CountsInnerCallsOnce) {
  NestedClock clock;
  const auto begin = std::chrono::steady_clock::now();
  {
    const ClockRun outer(clock);
    const ClockRun inner(clock);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_GE(clock.seconds(), 0.02);
  EXPECT_LE(clock.seconds(), passed);
}

TEST(Partition, CoversAllRowsInOrderInGranules) {
  for (const std::int64_t rows : {0L, 1L, 255L, 256L, 257L, 100000L}) {
    for (const int ranks : {1, 2, 3, 7}) {
      const Partition partition(rows, ranks, 256);
      std::int64_t next = 0;
      for (int q = 0; q < ranks; ++q) {
        const RowRange range = partition.rows_of(q);
        EXPECT_EQ(range.begin, next);
        EXPECT_TRUE(range.begin % 256 == 0 || range.begin == rows);
        if (range.size() > 0) {
          EXPECT_EQ(partition.owner_of(range.begin), q);
          EXPECT_EQ(partition.owner_of(range.end - 1), q);
        }
        next = range.end;
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST(Partition, SurvivesHugeCounts) {
  const Partition partition(std::int64_t{1} << 60, 1000);
  EXPECT_EQ(partition.rows_of(999).end, std::int64_t{1} << 60);
}

}  // namespace
}  // namespace thalweg
