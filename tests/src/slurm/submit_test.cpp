#include "job/slurm/submit.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "distributed/error.hpp"
#include "io/text_file.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;
using testing::Not;

/// sbatch, squeue and scancel that note their words and answer from files.
struct Submit : testing::Test {
  std::string folder = testing::TempDir() + "submit_" + std::to_string(getpid());
  std::string path_before = std::getenv("PATH");
  Submission submission;

  Submit() {
    make_directories(folder + "/bin");
    program("sbatch", "echo 41");
    program("scancel", ":");
    program("squeue", "cat '" + folder + "/queue' 2>/dev/null");
    setenv("PATH", (folder + "/bin:" + path_before).c_str(), 1);
    submission.origin = {"job.toml"};
    submission.results = folder + "/out";
    submission.stage = {"hmot", {"job.toml"}, submission.results};
    submission.lead_s = 120;
  }
  ~Submit() override {
    setenv("PATH", path_before.c_str(), 1);
    std::filesystem::remove_all(folder);
  }

  void program(const std::string& name, const std::string& line) const {
    const std::string path = folder + "/bin/" + name;
    write_text_file(path, "#!/bin/sh\necho \"$*\" >>\"$0.words\"\n" + line + "\n");
    chmod(path.c_str(), 0755);
  }
  void queue(const std::string& jobs) const { write_text_file(folder + "/queue", jobs); }
  std::string words(const std::string& name) const {
    const std::string path = folder + "/bin/" + name + ".words";
    return std::filesystem::exists(path) ? read_text_file(path) : "";
  }
  std::string text_of(const std::string& name) const { return read_text_file(submission.results + "/" + name); }
};

TEST_F(Submit, WritesTheScriptAndKeepsTheNumber) {
  const std::string text = submit(submission);
  EXPECT_EQ(words("sbatch"), "--parsable " + submission.results + "/job.sbatch\n");
  EXPECT_EQ(text_of("job.sbatch"), rendered_script(submission));
  EXPECT_EQ(text_of("chain.tsv"), "stage\tcommand\tjob_id\n1\thmot\t41\n");
  EXPECT_THAT(text, testing::AllOf(HasSubstr("submitted 41"), HasSubstr("sbatch " + submission.results + "/job.sbatch")));
}

TEST_F(Submit, OfAFreshJobSaysHowToGoOnWithoutBeginningAnew) {
  submission.stage.begins_anew = true;
  submission.origin = {"job.toml", "--fresh"};
  EXPECT_THAT(submit(submission), HasSubstr("resume:  thalweg submit job.toml --resume"));
}

TEST_F(Submit, ATrialIsNotSubmitted) {
  try_submission(submission);
  EXPECT_EQ(words("sbatch"), "--test-only " + submission.results + "/job.sbatch\n");
  EXPECT_FALSE(std::filesystem::exists(submission.results + "/chain.tsv"));
}

/// The tasks of an array look up their items when their turn comes.
TEST_F(Submit, LeavesTheFilesOfAQueuedJobAlone) {
  submission.items = {{"seed_1", "run.seed=1"}};
  submit(submission);
  const std::string items = text_of("items.tsv");
  queue("41_[0]\n");
  submission.items = {{"seed_2", "run.seed=2"}};
  for (const auto& action : {submit, try_submission}) {
    try {
      action(submission);
      ADD_FAILURE() << "not refused";
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("job 41_[0]"), HasSubstr("still in the queue"), HasSubstr("--cancel")));
    }
  }
  EXPECT_EQ(text_of("items.tsv"), items);
  EXPECT_THAT(words("squeue"), HasSubstr("-j 41\n"));
  queue("");
  submit(submission);
  EXPECT_THAT(text_of("items.tsv"), HasSubstr("seed_2"));
}

TEST_F(Submit, AChainByHandLeavesThoseInTheQueueAlone) {
  submission.chain = {submission.stage};
  submit(submission);
  queue("41\n");
  EXPECT_NE(std::system(("bash " + submission.results + "/chain.sh 2>/dev/null").c_str()), 0);
  queue("");
  EXPECT_EQ(std::system(("bash " + submission.results + "/chain.sh").c_str()), 0);
}

TEST_F(Submit, WorksWhereThereIsNoSqueue) {
  submit(submission);
  program("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  EXPECT_NO_THROW(submit(submission));
}

TEST_F(Submit, CancelsWhatWasSubmittedLast) {
  EXPECT_THROW(cancel(submission.results), DataError);
  submission.chain = {submission.stage, submission.stage};
  submit(submission);
  EXPECT_EQ(cancel(submission.results), "cancelled 41, 41\n");
  EXPECT_EQ(words("scancel"), "41 41\n");
}

TEST_F(Submit, ARefusalOfSlurmIsAnError) {
  program("sbatch", "exit 1");
  EXPECT_THROW(submit(submission), ConfigError);
}

}  // namespace
}  // namespace thalweg
