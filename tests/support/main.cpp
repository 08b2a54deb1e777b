// The main of every test program: MPI and Kokkos for its lifetime, failures of any rank fail all.
#include <gmock/gmock.h>

#include <cstdint>

#include "distributed/communicator.hpp"
#include "distributed/runtime.hpp"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  thalweg::Runtime runtime;
  const auto comm = thalweg::make_world_communicator();
  if (!comm->is_root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
  }
  const bool failed = comm->any(RUN_ALL_TESTS() != 0);
  return failed ? 1 : 0;
}
