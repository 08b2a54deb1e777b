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

  static std::string host() {
    char name[256] = {};
    gethostname(name, sizeof name - 1);
    return name;
  }
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

/// So many processes contend for the lock at the same time and hold it until all have tried. @return how many got it
int holders_of(const std::string& folder, int num_runs) {
  int go[2], answers[2], done[2];
  for (int* ends : {go, answers, done})
    if (pipe(ends) != 0) return -1;
  const auto wait_for_close = [](const int* ends) {
    char nothing = 0;
    close(ends[1]);
    return read(ends[0], &nothing, 1) == 0;
  };
  for (int k = 0; k < num_runs; ++k) {
    if (fork() != 0) continue;
    wait_for_close(go);
    char answer = 'r';
    try {
      new OutputLock(folder, 1.0);
      answer = 'h';
    } catch (const ConfigError&) {
    }
    _exit(write(answers[1], &answer, 1) == 1 && wait_for_close(done) ? 0 : 1);
  }
  close(go[1]);
  int holders = 0;
  for (int k = 0; k < num_runs; ++k) {
    char answer = 0;
    if (read(answers[0], &answer, 1) != 1) return -1;
    holders += answer == 'h';
  }
  for (const int end : {go[0], answers[0], answers[1], done[0], done[1]}) close(end);
  while (wait(nullptr) > 0) {}
  return holders;
}

TEST_F(Lock, GivenUpIsTakenByOneOfManyOnly) {
  for (int round = 0; round < 30; ++round) {
    leave(R"({"host": ")" + host() + R"(", "pid": 999999999, "process_begin": 1, "job_id": "", "restart": "", "interval_s": 300.0})");
    EXPECT_EQ(holders_of(folder, 6), 1) << "round " << round;
    std::filesystem::remove(file());
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(Lock, OfAnotherRunIsNeitherRefreshedNorRemoved) {
  auto mine = std::make_unique<OutputLock>(folder, 1.0);
  const std::string other = R"({"host": "elsewhere", "pid": 1, "process_begin": 1, "job_id": "", "restart": "", "interval_s": 300.0})";
  leave(other);
  mine.reset();
  std::string text;
  std::getline(std::ifstream(file()), text);
  EXPECT_EQ(text, other);
}

TEST_F(Lock, ThatIsBrokenIsNotTakenOver) {
  leave("");
  EXPECT_THAT(refusal(), HasSubstr("remove " + file()));
}

}  // namespace
}  // namespace thalweg
