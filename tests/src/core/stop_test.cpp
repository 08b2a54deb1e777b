#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "core/stop_reason.hpp"
#include "core/stop_request.hpp"
#include "core/worse_reason.hpp"

namespace thalweg {
namespace {

TEST(StopReason, HasTheDocumentedExitCode) {
  EXPECT_EQ(exit_code_of(StopReason::converged, false), 0);
  EXPECT_EQ(exit_code_of(StopReason::max_iterations, false), 4);
  EXPECT_EQ(exit_code_of(StopReason::max_iterations, true), 0);
  EXPECT_EQ(exit_code_of(StopReason::nonfinite, false), 4);
  EXPECT_EQ(exit_code_of(StopReason::interrupted, true), 5);
  EXPECT_EQ(exit_code_of(StopReason::time_limit, false), 5);
  EXPECT_EQ(name_of(StopReason::inner_max_iterations), "inner_max_iterations");
}

TEST(StopReason, OfPartsIsThatWhichWasToldToStop) {
  EXPECT_EQ(worse_of(StopReason::converged, StopReason::converged), StopReason::converged);
  EXPECT_EQ(worse_of(StopReason::converged, StopReason::stagnated), StopReason::stagnated);
  EXPECT_EQ(worse_of(StopReason::max_iterations, StopReason::converged), StopReason::max_iterations);
  EXPECT_EQ(worse_of(StopReason::max_iterations, StopReason::stagnated), StopReason::max_iterations);
  EXPECT_EQ(worse_of(StopReason::max_iterations, StopReason::interrupted), StopReason::interrupted);
  EXPECT_EQ(worse_of(StopReason::time_limit, StopReason::nonfinite), StopReason::time_limit);
}

TEST(StopRequest, LimitsOfZeroNeverStop) {
  set_stop_requested(false);
  EXPECT_EQ(local_stop_reason({}, 1e9, 1000000000), std::nullopt);
}

TEST(StopRequest, LimitsStopAtTheirValue) {
  set_stop_requested(false);
  EXPECT_EQ(local_stop_reason({.max_wall_s = 10.0}, 9.9, 1), std::nullopt);
  EXPECT_EQ(local_stop_reason({.max_wall_s = 10.0}, 10.0, 1), StopReason::time_limit);
  EXPECT_EQ(local_stop_reason({.stop_after_iterations = 3}, 0.0, 2), std::nullopt);
  EXPECT_EQ(local_stop_reason({.stop_after_iterations = 3}, 0.0, 3), StopReason::interrupted);
}

TEST(StopRequest, ASignalSetsTheFlag) {
  install_stop_handlers();
  set_stop_requested(false);
  std::raise(SIGUSR1);
  EXPECT_TRUE(stop_requested());
  EXPECT_EQ(local_stop_reason({}, 0.0, 0), StopReason::interrupted);
  set_stop_requested(false);
}

TEST(StopRequestDeathTest, ASecondTerminationEndsTheProcess) {
  EXPECT_EXIT(
      {
        install_stop_handlers();
        std::raise(SIGTERM);
        if (!stop_requested()) _exit(1);
        std::raise(SIGTERM);
        _exit(2);
      },
      testing::ExitedWithCode(128 + SIGTERM), "");
}

}  // namespace
}  // namespace thalweg
