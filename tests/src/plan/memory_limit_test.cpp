#include "job/memory_limit.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace thalweg {
namespace {

constexpr std::int64_t host_bytes = std::int64_t{1000} * 1024;

struct MemoryLimit : testing::Test {
  std::filesystem::path root = std::filesystem::temp_directory_path() / "memory_limit_test";

  void SetUp() override {
    std::filesystem::remove_all(root);
    put("proc/meminfo", "MemTotal:           1000 kB\nMemFree: 1 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root); }
  void put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  }
  HostLimit limit() const { return host_memory_limit(root.string()); }
};

TEST_F(MemoryLimit, IsTheMemoryOfTheHostWithoutCgroups) {
  EXPECT_EQ(limit().bytes, host_bytes);
  put("proc/self/cgroup", "0::/user.slice\n");
  put("sys/fs/cgroup/user.slice/memory.max", "max\n");
  EXPECT_EQ(limit().bytes, host_bytes);
  EXPECT_EQ(limit().source, "the memory of the host");
}

TEST_F(MemoryLimit, IsTheLeastOfTheGroupsAbove) {
  put("proc/self/cgroup", "0::/job/step/task\n");
  put("sys/fs/cgroup/job/step/task/memory.max", "max\n");
  put("sys/fs/cgroup/job/step/memory.max", "700000\n");
  put("sys/fs/cgroup/job/memory.max", "600000\n");
  EXPECT_EQ(limit().bytes, 600000);
  EXPECT_EQ(limit().source, "the cgroup limit");
}

TEST_F(MemoryLimit, OfAContainerIsThatOfItsMountedRoot) {
  put("proc/self/cgroup", "0::/not/visible/here\n");
  put("sys/fs/cgroup/memory.max", "500000\n");
  EXPECT_EQ(limit().bytes, 500000);
}

TEST_F(MemoryLimit, ReadsVersionOneAmongItsControllers) {
  put("proc/self/cgroup", "8:pids:/x\n4:cpu,memory:/slurm/job_1\n0::/\n");
  put("sys/fs/cgroup/memory/slurm/job_1/memory.limit_in_bytes", "400000\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit().bytes, 400000);
}

TEST_F(MemoryLimit, AboveTheHostDoesNotCount) {
  put("proc/self/cgroup", "0::/a\n");
  put("sys/fs/cgroup/a/memory.max", "99999999999\n");
  EXPECT_EQ(limit().bytes, host_bytes);
}

TEST_F(MemoryLimit, IsUnknownWhenTheSystemTellsNothing) {
  std::filesystem::remove_all(root);
  EXPECT_EQ(limit().bytes, 0);
}

TEST(MemoryBudget, IsTheCapOfTheJobForHostAndDevice) {
  RunOptions run;
  run.memory_gib = 1.5;
  const MemoryBudget budget = memory_budget(*make_self_communicator(), run, true);
  EXPECT_TRUE(budget.bytes.host == (WideInt{3} << 29));
  EXPECT_TRUE(budget.bytes.device == budget.bytes.host);
}

TEST(MemoryBudget, IsFourFifthsOfTheHostOtherwise) {
  const MemoryBudget budget = memory_budget(*make_self_communicator(), {}, false);
  const double expected = 0.8 * static_cast<double>(host_memory_limit().bytes);
  EXPECT_NEAR(static_cast<double>(budget.bytes.host), expected, 1.0);
  EXPECT_THAT(budget.origin, testing::StartsWith("80 % of the "));
}

}  // namespace
}  // namespace thalweg
