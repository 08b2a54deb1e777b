// The suite over NCCL's part of the program with a double of the library: any machine, two ranks or more.
#include <gmock/gmock.h>

#include "communicator_under_test.hpp"
#include "distributed/nccl_communicator.hpp"
#include "nccl_double.hpp"

namespace thalweg {

namespace {

std::unique_ptr<Communicator> nccl(const Transport& transport) { return make_nccl_communicator(*make_world_communicator(), transport); }

}  // namespace

std::unique_ptr<Communicator> communicator_under_test() {
  auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1});
  EXPECT_EQ(comm->name(), "nccl") << comm->note();
  return comm;
}

namespace {

using testing::HasSubstr;

struct Nccl : testing::Test {
  void TearDown() override { nccl_double::faults() = {}; }
};

TEST_F(Nccl, MovesLargeMessagesAndLeavesSmallOnesToMpi) {
  const auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1000});
  ASSERT_EQ(comm->name(), "nccl") << comm->note();
  const std::int64_t before = nccl_double::num_launches();
  comm->all_gather(std::span<const char>(std::string(10, 'a')));
  EXPECT_EQ(nccl_double::num_launches(), before);
  std::vector<std::int64_t> values(125, 1);
  comm->all_reduce(std::span<std::int64_t>(values), Reduction::sum);
  EXPECT_EQ(values, std::vector<std::int64_t>(125, comm->size()));
  EXPECT_EQ(nccl_double::num_launches(), before + 1);
}

TEST_F(Nccl, ExchangesGoByTheWayOfEachMessagesSize) {
  const auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1000});
  const int right = (comm->rank() + 1) % comm->size(), left = (comm->rank() + comm->size() - 1) % comm->size();
  const auto length = [](int rank) { return static_cast<std::size_t>(rank % 2 == 0 ? 5000 : 50); };
  const std::vector<char> sent(length(comm->rank()), static_cast<char>(comm->rank()));
  std::vector<char> received(length(left));
  const std::int64_t before = nccl_double::num_launches();
  comm->send_receive(std::span<const char>(sent), right, std::span<char>(received), left);
  EXPECT_EQ(received, std::vector<char>(length(left), static_cast<char>(left)));
  const bool is_large = length(comm->rank()) >= 1000 || length(left) >= 1000;
  EXPECT_EQ(nccl_double::num_launches() - before, is_large ? 1 : 0);
}

TEST_F(Nccl, KeepsItsMemoryForTheNextMessageAndFreesItAtTheEnd) {
  const std::int64_t before = nccl_double::num_blocks();
  {
    const auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1});
    std::vector<double> values(1000, 1.0);
    for (int k = 0; k < 5; ++k) comm->broadcast(std::span<double>(values));
    EXPECT_LE(nccl_double::num_blocks(), before + 2);
  }
  EXPECT_EQ(nccl_double::num_blocks(), before);
}

TEST_F(Nccl, PartsHaveGroupsOfTheirOwn) {
  const auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1});
  const auto part = comm->split(comm->rank() % 2, comm->rank());
  EXPECT_EQ(part->name(), "nccl") << part->note();
  EXPECT_EQ(part->all_reduce(std::int64_t{1}, Reduction::sum), part->size());
}

TEST_F(Nccl, WhereOneRankCannotStartItAllGoByMpiAndSayWhy) {
  nccl_double::faults().no_start = make_world_communicator()->rank() == 1;
  const auto comm = nccl({.timeout_s = 1.0, .large_bytes = 1});
  EXPECT_EQ(comm->name(), "mpi");
  EXPECT_THAT(comm->note(), HasSubstr("ncclCommInitRank"));
  EXPECT_EQ(comm->all_reduce(std::int64_t{1}, Reduction::sum), comm->size());
}

TEST_F(Nccl, WhereAGatherBringsOtherBytesAllGoByMpi) {
  nccl_double::faults().is_corrupt = make_world_communicator()->rank() == 1;
  const auto comm = nccl({.timeout_s = 1.0, .large_bytes = 1});
  EXPECT_EQ(comm->name(), "mpi");
  EXPECT_THAT(comm->note(), HasSubstr("other bytes than were sent"));
}

TEST_F(Nccl, WhereOneDeviceIsFullAtTheStartAllGoByMpi) {
  nccl_double::faults().is_full = make_world_communicator()->rank() == 1;
  const auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1});
  EXPECT_EQ(comm->name(), "mpi");
  EXPECT_THAT(comm->note(), HasSubstr("memory"));
}

TEST_F(Nccl, WorkThatWasGivenUpIsNeverDone) {
  const auto comm = nccl({.timeout_s = 1.0, .large_bytes = 1});
  const int right = (comm->rank() + 1) % comm->size(), left = (comm->rank() + comm->size() - 1) % comm->size();
  const std::vector<char> sent(100, 'a');
  std::vector<char> received(100, 'b');
  const auto exchange = comm->start_send_receive(std::span<const char>(sent), right, std::span<char>(received), left);
  nccl_double::faults().is_silent = true;
  EXPECT_THROW(comm->all_reduce(std::int64_t{1}, Reduction::sum), CommunicationError);
  nccl_double::faults().is_silent = false;
  EXPECT_THROW(exchange->wait(), CommunicationError);
  EXPECT_EQ(received, std::vector<char>(100, 'b'));
}

std::string failure_of(const Communicator& comm) {
  std::vector<std::int64_t> values(1000, 1);
  try {
    comm.all_reduce(std::span<std::int64_t>(values), Reduction::sum);
  } catch (const CommunicationError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Nccl, ARankThatDoesNotAnswerEndsTheWaitWithItsLimit) {
  const auto comm = nccl({.timeout_s = 1.0, .large_bytes = 1});
  nccl_double::faults().is_silent = true;
  EXPECT_THAT(failure_of(*comm), testing::AllOf(HasSubstr("all-reduce between GPUs"), HasSubstr("within 1 s"),
                                                HasSubstr("run.communication_timeout_s")));
  EXPECT_THAT(failure_of(*comm), HasSubstr("after a failure"));
}

TEST_F(Nccl, AFailureOfAnotherRankIsToldAtOnce) {
  const auto comm = nccl({.timeout_s = 1000.0, .large_bytes = 1});
  nccl_double::faults().has_lost_peer = true;
  EXPECT_THAT(failure_of(*comm), testing::AllOf(HasSubstr("remote process exited"), HasSubstr("run.communicator")));
}

TEST_F(Nccl, AFullDeviceIsOutOfMemory) {
  const auto comm = nccl({.timeout_s = 30.0, .large_bytes = 1});
  nccl_double::faults().is_full = true;
  std::vector<double> values(1'000'000, 1.0);
  EXPECT_THROW(comm->broadcast(std::span<double>(values)), std::bad_alloc);
}

}  // namespace
}  // namespace thalweg
