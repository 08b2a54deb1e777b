// The suite over NCCL, between devices that each are one rank's; ranks that share one fall back to MPI.
#include <gtest/gtest.h>

#include "communicator_under_test.hpp"
#include "distributed/device.hpp"
#include "distributed/nccl_communicator.hpp"

namespace thalweg {

/// One rank alone, under a launcher, may have NCCL too.
std::unique_ptr<Communicator> communicator_under_test() {
  const Transport transport{.device = 0, .timeout_s = 60.0, .large_bytes = 1};
  auto comm = make_world_communicator(transport);
  return comm->name() == "mpi" && comm->size() == 1 ? make_nccl_communicator(*comm, transport) : std::move(comm);
}

namespace {

TEST(Nccl, IsTakenWhereEveryRankOfTheNodeHasADeviceOfItsOwn) {
  const auto comm = communicator_under_test();
  if (comm->name() == "self") GTEST_SKIP() << "no launcher";
  if (num_devices() < comm->size()) {
    EXPECT_EQ(comm->name(), "mpi");
    EXPECT_NE(comm->note().find("share the GPU"), std::string::npos) << comm->note();
    EXPECT_THROW(make_world_communicator({.device = 0, .choice = "nccl"}), DataError);
  } else {
    EXPECT_EQ(comm->name(), "nccl") << comm->note();
  }
}

}  // namespace
}  // namespace thalweg
