// What holds for every communicator of all ranks.
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>

#include "communicator_under_test.hpp"
#include "distributed/collective_time.hpp"
#include "distributed/rank_texts.hpp"
#include "distributed/ring.hpp"

namespace thalweg {
namespace {

struct World : testing::Test {
  std::unique_ptr<Communicator> comm = communicator_under_test();
  int rank = comm->rank();
  int size = comm->size();
};

TEST_F(World, SumsMinimaAndMaximaOverRanks) {
  std::vector<std::int64_t> values{rank + 1, -rank};
  comm->all_reduce(std::span<std::int64_t>(values), Reduction::sum);
  EXPECT_EQ(values[0], size * (size + 1) / 2);
  EXPECT_EQ(values[1], -size * (size - 1) / 2);
  EXPECT_EQ(comm->all_reduce(double(rank), Reduction::max), size - 1);
  EXPECT_EQ(comm->all_reduce(float(rank), Reduction::min), 0.0f);
}

TEST_F(World, AddsFloatingPointValuesInRankOrder) {
  const double value = rank == 0 ? 1.0 : 0x1.0p-53;  // each later addend alone is below half an ulp
  EXPECT_EQ(comm->all_reduce(value, Reduction::sum), 1.0);
}

TEST_F(World, BroadcastsVectorsOfUnknownLengthAndText) {
  std::vector<float> values;
  std::string text;
  if (rank == size - 1) {
    values = {1.5f, 2.5f, 3.5f};
    text = "thalweg";
  }
  comm->broadcast(values, size - 1);
  comm->broadcast(text, size - 1);
  EXPECT_EQ(values, (std::vector<float>{1.5f, 2.5f, 3.5f}));
  EXPECT_EQ(text, "thalweg");
}

TEST_F(World, GathersBlocksOfDifferentLengthInRankOrder) {
  const std::vector<std::int32_t> local(static_cast<std::size_t>(rank), rank);
  const auto all = comm->all_gather(std::span<const std::int32_t>(local));
  std::vector<std::int32_t> expected;
  for (int q = 0; q < size; ++q) expected.insert(expected.end(), static_cast<std::size_t>(q), q);
  EXPECT_EQ(all, expected);
}

TEST_F(World, TextsOfRanksMayDifferInLength) {
  const std::vector<std::string> texts = texts_of_ranks(*comm, std::string(static_cast<std::size_t>(rank), 'x'));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(size));
  for (int q = 0; q < size; ++q) EXPECT_EQ(texts[static_cast<std::size_t>(q)], std::string(static_cast<std::size_t>(q), 'x'));
}

TEST_F(World, ExchangesPersonalParts) {
  std::vector<double> send;
  std::vector<std::int64_t> counts;
  for (int q = 0; q < size; ++q) {
    counts.push_back(q);
    for (int k = 0; k < q; ++k) send.push_back(100.0 * rank + q);
  }
  std::vector<std::int64_t> received_counts;
  const auto received = comm->all_to_all(std::span<const double>(send), std::span<const std::int64_t>(counts), received_counts);
  ASSERT_EQ(received.size(), static_cast<std::size_t>(rank * size));
  for (int q = 0; q < size; ++q) {
    EXPECT_EQ(received_counts[static_cast<std::size_t>(q)], rank);
    for (int k = 0; k < rank; ++k) EXPECT_EQ(received[static_cast<std::size_t>(q * rank + k)], 100.0 * q + rank);
  }
}

TEST_F(World, SendsToOneRankWhileItReceivesFromAnother) {
  const int right = (rank + 1) % size, left = (rank + size - 1) % size;
  std::vector<double> send(static_cast<std::size_t>(rank) * 1000, rank), received(static_cast<std::size_t>(left) * 1000);
  const std::int64_t before = comm->bytes_sent();
  comm->send_receive(std::span<const double>(send), right, std::span<double>(received), left);
  EXPECT_EQ(received, std::vector<double>(static_cast<std::size_t>(left) * 1000, left));
  EXPECT_EQ(comm->bytes_sent() - before, size > 1 ? rank * 8000 : 0);
}

TEST_F(World, ExchangesInFlightKeepTheirOrderAndLeaveCollectivesAlone) {
  const int right = (rank + 1) % size, left = (rank + size - 1) % size;
  const std::vector<std::int32_t> first(100000, rank), second(100000, 10 + rank);
  std::vector<std::int32_t> one(100000), two(100000);
  const auto first_on_its_way = comm->start_send_receive(std::span(first), right, std::span(one), left);
  const auto second_on_its_way = comm->start_send_receive(std::span(second), right, std::span(two), left);
  EXPECT_EQ(comm->all_reduce(std::int32_t{1}, Reduction::sum), size);
  while (!second_on_its_way->advance()) continue;
  first_on_its_way->wait();
  EXPECT_EQ(one, std::vector<std::int32_t>(100000, left));
  EXPECT_EQ(two, std::vector<std::int32_t>(100000, 10 + left));
}

TEST_F(World, BlocksPassEveryRankItsOwnFirst) {
  std::vector<std::int64_t> sizes;
  for (int q = 0; q < size; ++q) sizes.push_back(q == 1 ? 0 : 1000 + q);
  const std::vector<float> own(static_cast<std::size_t>(sizes[static_cast<std::size_t>(rank)]), float(rank));
  std::vector<int> owners;
  const std::int64_t before = comm->bytes_sent();
  pass_around(*comm, std::span<const float>(own), std::span<const std::int64_t>(sizes),
              [&](int owner, std::span<const float> block, Exchange* next) {
                EXPECT_EQ(std::vector<float>(block.begin(), block.end()),
                          std::vector<float>(static_cast<std::size_t>(sizes[static_cast<std::size_t>(owner)]), float(owner)));
                if (next) next->advance();
                owners.push_back(owner);
              });
  ASSERT_EQ(owners.size(), sizes.size());
  std::int64_t sent = 0;
  for (int step = 0; step < size; ++step) {
    EXPECT_EQ(owners[static_cast<std::size_t>(step)], (rank + step) % size);
    if (step + 1 < size) sent += 4 * sizes[static_cast<std::size_t>((rank + step) % size)];
  }
  EXPECT_EQ(comm->bytes_sent() - before, sent);
}

TEST_F(World, AFailureOnTheRootIsThrownOnAllRanks) {
  try {
    comm->on_root([] { throw DataError("no such key"); });
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "no such key");
  }
}

TEST_F(World, TheLowestFailingRankNamesTheError) {
  try {
    comm->on_all([&] {
      if (rank == size - 1) throw IoError("rank " + std::to_string(rank));
    });
    FAIL();
  } catch (const IoError& error) {
    EXPECT_EQ(error.what(), "rank " + std::to_string(size - 1));
    EXPECT_EQ(error.exit_code(), 1);
  }
}

TEST_F(World, SplitsByColor) {
  const auto part = comm->split(rank % 2, -rank);
  EXPECT_EQ(part->size(), (size + 1 - rank % 2) / 2);
  EXPECT_EQ(part->all_reduce(std::int32_t{1}, Reduction::sum), part->size());
}

TEST_F(World, ExclusiveSumAndBytes) {
  EXPECT_EQ(comm->exclusive_sum(10), 10 * rank);
  if (size > 1) { EXPECT_GT(comm->bytes_sent(), 0); }
}

TEST_F(World, CountsTheTimeInCollectivesAndTheWaitForOthers) {
  constexpr double lateness = 0.4;
  comm->barrier();
  const double before = seconds_in_collectives(*comm);
  if (rank == size - 1) std::this_thread::sleep_for(std::chrono::duration<double>(lateness));
  comm->all_reduce(1.0, Reduction::sum);  // of sums within a gather: counted once
  const double waited = seconds_in_collectives(*comm) - before;
  if (size == 1) { EXPECT_EQ(waited, 0.0); }
  else if (rank == size - 1) { EXPECT_LT(waited, lateness); }
  else {
    EXPECT_GT(waited, 0.5 * lateness);
    EXPECT_LT(waited, 1.9 * lateness);
  }
}

}  // namespace
}  // namespace thalweg
