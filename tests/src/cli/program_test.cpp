// The built program, started by itself and on three ranks.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "io/text_file.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int code;
  std::string out;
  std::string errors;  ///< the lines that begin with "error: "
};

class Program : public testing::TestWithParam<int> {
 protected:
  Program() { std::filesystem::create_directories(folder_); }
  ~Program() override { std::filesystem::remove_all(folder_); }

  /// Runs `thalweg <words>` in the test's folder; `input` goes to its standard input.
  Outcome run(const std::string& words, const std::string& input = "") const {
    write_text_file(folder_ + "/input", input);
    const std::string launcher = GetParam() == 1 ? "" : THALWEG_LAUNCHER " -n " + std::to_string(GetParam()) + " ";
    const std::string command =
        "cd '" + folder_ + "' && " + launcher + THALWEG_PROGRAM " " + words + " < input > stdout 2> stderr";
    const int status = std::system(command.c_str());
    return {WEXITSTATUS(status), read_text_file(folder_ + "/stdout"), error_lines()};
  }
  void put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + name).parent_path());
    write_text_file(folder_ + "/" + name, text);
  }

  const std::string folder_ =
      testing::TempDir() + "thalweg_program_" + std::to_string(getpid()) + "_" + std::to_string(GetParam());

 private:
  std::string error_lines() const {
    std::istringstream lines(read_text_file(folder_ + "/stderr"));
    std::string kept;
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("error: ")) kept += line + "\n";
    return kept;
  }
};

INSTANTIATE_TEST_SUITE_P(Ranks, Program, testing::Values(1, 3));

const std::string simulation = "[simulate]\nparticles = 10\n[output]\ndir = \"out\"\n";

TEST_P(Program, PrintsAskedForTextOnceAndExitsWithZero) {
  const Outcome version = run("--version");
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, StartsWith("thalweg "));
  EXPECT_EQ(std::count(version.out.begin(), version.out.end(), '\n'), 1);
  EXPECT_EQ(run("--help").code, 0);
  const Outcome section = run("describe run");
  EXPECT_EQ(section.code, 0);
  EXPECT_THAT(section.out, StartsWith("[run]"));
  EXPECT_THAT(section.out, HasSubstr("seed"));
}

TEST_P(Program, DescribesEverythingAsTheManual) {
  const Outcome outcome = run("describe --markdown");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, read_text_file(THALWEG_SOURCE_DIR "/docs/reference.md"));
}

TEST_P(Program, RefusesABadCommandLineInOneLine) {
  for (const char* words : {"", "hmto", "hiref job.toml", "hmot", "hmot job.toml --stub", "describe sovler"}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
    EXPECT_EQ(outcome.out, "") << words;
  }
}

TEST_P(Program, ChecksAJobWithoutRunningIt) {
  put("job.toml", simulation);
  const Outcome outcome = run("simulate job.toml --dry-run --quiet");
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/out"));
}

TEST_P(Program, ReadsAJobFromStandardInput) {
  EXPECT_EQ(run("simulate - --dry-run", simulation).code, 0);
  const Outcome bad = run("simulate - --dry-run", simulation + "dri = 1\n");
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.errors, "error: stdin:5:1: unknown key 'output.dri'; did you mean 'output.dir'?\n");
}

TEST_P(Program, TellsAllErrorsOfAJobOnce) {
  put("jobs/job.toml", "[simulate]\nparticles = 0\nmodl = \"volcano\"\n");
  const Outcome outcome = run("simulate jobs/job.toml --set run.seed=-1 --dry-run");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.errors,
            "error: jobs/job.toml:2:13: simulate.particles = 0 is not allowed; it must be at least 1\n"
            "error: jobs/job.toml:3:1: unknown key 'simulate.modl'; did you mean 'simulate.model'?\n"
            "error: --set: run.seed = -1 is not allowed; it must be at least 0\n"
            "error: jobs/job.toml: 'output.dir' is missing (results directory, created if absent); set it in the job "
            "file or with --set\n");
}

TEST_P(Program, LetsOptionsBeatTheFile) {
  put("job.toml", "[simulate]\nparticles = 0\n");
  EXPECT_EQ(run("simulate job.toml --dry-run --out out").code, 2);
  EXPECT_EQ(run("simulate job.toml --dry-run --out out --set simulate.particles=5").code, 0);
}

TEST_P(Program, NamesTheCommandAJobIsFor) {
  put("job.toml", "command = \"lowrank\"\n" + simulation);
  const Outcome outcome = run("simulate job.toml --dry-run");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.errors,
            "error: job.toml:1:11: command = \"lowrank\" does not agree with 'thalweg simulate'; change one of them\n");
  put("job.toml", "command = \"simulate\"\n" + simulation);
  EXPECT_EQ(run("simulate job.toml --dry-run").code, 0);
}

TEST_P(Program, NamesTheJobFileThatCannotBeRead) {
  const Outcome absent = run("simulate absent.toml");
  EXPECT_EQ(absent.code, 2);
  EXPECT_THAT(absent.errors, HasSubstr("absent.toml cannot be read: No such file"));
  EXPECT_EQ(run("simulate .").code, 2);
  put("broken.toml", "a = = 1\n");
  const Outcome broken = run("simulate broken.toml");
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.errors, StartsWith("error: broken.toml:1:5: "));
}

}  // namespace
}  // namespace thalweg
