#include "solvers/hm_ot/streams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace thalweg {
namespace {

TEST(Streams, OfAllUsesSlicesAndRestartsAreDifferent) {
  std::vector<std::uint32_t> streams;
  for (const DrawUse use : {DrawUse::matched_cells, DrawUse::sampled_cells, DrawUse::trajectory_seeds, DrawUse::kmeans_seeds, DrawUse::merge_seeds,
                            DrawUse::random_rows, DrawUse::random_links})
    for (const std::size_t slice : {std::size_t{0}, std::size_t{1}, std::size_t{9}, std::size_t{10}, std::size_t{99}, max_slices - 1})
      for (const std::uint32_t restart : {0u, 1u, 2u, 7u, 500u, 99999u, max_restarts - 1}) streams.push_back(stream_of(5, use, slice, restart).stream);
  std::sort(streams.begin(), streams.end());
  EXPECT_EQ(std::adjacent_find(streams.begin(), streams.end()), streams.end());
}

TEST(Streams, KeepTheSeed) { EXPECT_EQ(stream_of(1234567890123, DrawUse::kmeans_seeds, 3).seed, 1234567890123u); }

}  // namespace
}  // namespace thalweg
