// The main of every test program: MPI and Kokkos for its lifetime, failures of any rank fail all.
// Leaves with 77, which CTest reports as skipped, where a device is needed and there is none: by every
// program of a device build, and in a CPU build by those called with --needs-device (label gpu).
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

#include "distributed/communicator.hpp"
#include "distributed/device.hpp"
#include "distributed/runtime.hpp"

namespace {

/// What ranks other than the first print: failures alone, each line with the rank.
class FailurePrinter : public testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(int rank) : rank_(rank) {}

  // Google Test holds its lock while a result is told: the test's name must be known before.
  void OnTestStart(const testing::TestInfo& test) override { name_ = std::string(test.test_suite_name()) + "." + test.name() + " "; }
  void OnTestEnd(const testing::TestInfo&) override { name_.clear(); }

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const std::string file = result.file_name() == nullptr ? "?" : result.file_name();
    std::istringstream lines(name_ + "failed at " + file + ":" + std::to_string(result.line_number()) + "\n" + result.summary());
    std::string text;
    for (std::string line; std::getline(lines, line);) text += "[rank " + std::to_string(rank_) + "] " + line + "\n";
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

 private:
  int rank_;
  std::string name_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  const bool needs_device =
      thalweg::is_device_build() ||
      std::any_of(argv + 1, argv + argc, [](std::string_view argument) { return argument == "--needs-device"; });
  if (needs_device && thalweg::num_devices() == 0) {
    std::puts("skipped: no GPU");
    return 77;
  }
  thalweg::Runtime runtime;
  const auto comm = thalweg::make_world_communicator();
  if (!comm->is_root()) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter(comm->rank()));
  }
  const bool failed = comm->any(RUN_ALL_TESTS() != 0);
  return failed ? 1 : 0;
}
