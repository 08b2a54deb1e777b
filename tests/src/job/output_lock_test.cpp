#include "job/output_lock.hpp"

#include <gmock/gmock.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

struct Lock : testing::Test {
  std::string folder = [] {
    const std::string name = testing::TempDir() + "lock_" + std::to_string(::getpid());
    std::filesystem::create_directories(name);
    return name;
  }();
  ~Lock() override { std::filesystem::remove_all(folder); }

  std::string file() const { return folder + "/lock"; }
  void leave(const std::string& text) const { std::ofstream(file()) << text; }
  std::string refusal() const {
    try {
      OutputLock lock(folder, 1.0);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Lock, RefusesASecondRunUntilTheFirstIsOver) {
  auto first = std::make_unique<OutputLock>(folder, 1.0);
  EXPECT_THAT(refusal(), HasSubstr("is in use by process " + std::to_string(::getpid())));
  first.reset();
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(refusal(), "");
}

TEST_F(Lock, OfAProcessThatIsGoneIsTakenOver) {
  const pid_t child = fork();
  if (child == 0) {
    new OutputLock(folder, 1.0);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(std::filesystem::exists(file()));
  EXPECT_EQ(refusal(), "");
}

TEST_F(Lock, OfAnotherHostIsTakenOverAfterThreeIntervalsOfSilence) {
  leave(R"({"host": "elsewhere", "pid": 1, "process_begin": 1, "job_id": "", "restart": "", "interval_s": 300.0})");
  EXPECT_THAT(refusal(), HasSubstr("process 1 on elsewhere"));
  const timespec times[2] = {{::time(nullptr) - 901, 0}, {::time(nullptr) - 901, 0}};
  utimensat(AT_FDCWD, file().c_str(), times, 0);
  EXPECT_EQ(refusal(), "");
}

TEST_F(Lock, OfThisJobBeforeItsRequeueIsTakenOver) {
  leave(R"({"host": "elsewhere", "pid": 1, "process_begin": 1, "job_id": "42", "restart": "", "interval_s": 300.0})");
  setenv("SLURM_JOB_ID", "42", 1);
  EXPECT_NE(refusal(), "");
  setenv("SLURM_RESTART_COUNT", "1", 1);
  EXPECT_EQ(refusal(), "");
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

TEST_F(Lock, ThatIsBrokenIsNotTakenOver) {
  leave("");
  EXPECT_THAT(refusal(), HasSubstr("remove " + file()));
}

}  // namespace
}  // namespace thalweg
