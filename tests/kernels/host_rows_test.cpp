#include "kernels/host_rows.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <vector>

namespace thalweg {
namespace {

TEST(HostRows, AreEachSeenOnce) {
  EXPECT_STREQ(std::getenv("OMP_NUM_THREADS"), "3") << "what this test needs of its environment";
  for (const std::int64_t count : {0, 1, 2, 1000}) {
    std::vector<int> seen(static_cast<std::size_t>(count), 0);
    for_each_row_on_host(count, [&](std::int64_t row) { ++seen[static_cast<std::size_t>(row)]; });
    EXPECT_EQ(seen, std::vector<int>(static_cast<std::size_t>(count), 1));
  }
}

TEST(HostRows, AreEachSeenOnceInPieces) {
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{1}, piece_rows, 3 * piece_rows + 1}) {
    std::vector<int> seen(static_cast<std::size_t>(count), 0);
    for_each_piece_on_host(count, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) ++seen[static_cast<std::size_t>(row)];
    });
    EXPECT_EQ(seen, std::vector<int>(static_cast<std::size_t>(count), 1));
  }
}

TEST(HostRows, EndWithTheFirstException) {
  std::atomic<int> seen = 0;
  const auto body = [&](std::int64_t row) {
    ++seen;
    if (row >= 7) throw std::runtime_error("row " + std::to_string(row));
  };
  EXPECT_THROW(for_each_row_on_host(1000000, body), std::runtime_error);
  EXPECT_LT(seen, 1000);
  EXPECT_THROW(for_each_row_on_host(8, body), std::runtime_error);
}

}  // namespace
}  // namespace thalweg
