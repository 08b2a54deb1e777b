#include "job/slurm/submission.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "config/parse_toml.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/read_job.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Jobs on the cells of the repository.
struct SubmissionTest : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::string path = [this] {
    std::string name = testing::TempDir() + "submission_" + std::to_string(getpid()) + ".toml";
    comm->broadcast(name);
    return name;
  }();
  ~SubmissionTest() override {
    comm->barrier();
    if (comm->is_root()) std::filesystem::remove(path);
  }

  JobContext context(const std::string& lines = "", const std::string& dir = "out") const {
    JobContext context;
    context.command = "hmot";
    const std::string text = "[input]\nfile = \"" THALWEG_SOURCE_DIR "/jobs/data/celegans_amphid.h5ad\"\ntime_key = \"time\"\n[output]\ndir = '''" + dir +
                             "'''\n[hmot]\nrank = 4\n" + lines;
    comm->on_root([&] { write_text_file(path, text); });
    context.arguments.target = path;
    read_job(load_settings(*comm, context.arguments), {"input", "hmot", "solver", "run", "output"}, context);
    return context;
  }
  Submission made(const std::string& lines = "") const { return make_submission(*comm, context(lines), {}); }
  std::string refusal(const JobContext& context) const {
    try {
      make_submission(*comm, context, {});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(SubmissionTest, DecidesWhatIsLeftOpen) {
  const Submission small = made();
  EXPECT_EQ(small.ranks_per_node, 1);
  EXPECT_EQ(small.cpus_per_rank, 4);
  EXPECT_FALSE(small.is_exclusive);
  EXPECT_GE(small.memory_mib, 1024);
  EXPECT_EQ(small.memory_mib % 1024, 0);
  EXPECT_EQ(small.lead_s, 120);
  EXPECT_FALSE(small.stage.begins_anew);
  const Submission large = made("[submit]\nnodes = 2\ngpus_per_node = 4\n");
  EXPECT_TRUE(large.is_exclusive);
  EXPECT_EQ(large.ranks_per_node, 4);
  EXPECT_EQ(large.cpus_per_rank, 0);
  EXPECT_EQ(made("[run]\nthreads = 6\n").cpus_per_rank, 6);
}

TEST_F(SubmissionTest, GivesTheJobItsSettingsWithoutThoseOfTheScript) {
  JobContext job = context();
  job.arguments.settings = {"hmot.restarts=2", "submit.nodes=1"};
  job.arguments.output_dir = "elsewhere";
  const Submission submission = make_submission(*comm, job, {});
  EXPECT_THAT(submission.stage.words, ElementsAre(job.arguments.target, "--set", "hmot.restarts=2", "--out", "elsewhere"));
  EXPECT_THAT(submission.origin, ElementsAre(job.arguments.target, "--set", "hmot.restarts=2", "--set", "submit.nodes=1", "--out", "elsewhere"));
}

TEST_F(SubmissionTest, KnowsThatAJobBeginsAnew) {
  EXPECT_TRUE(made("[run]\nresume = false\n").stage.begins_anew);
  JobContext job = context("[run]\nresume = false\n");
  job.arguments.fresh = true;
  const Submission submission = make_submission(*comm, job, {});
  EXPECT_TRUE(submission.stage.begins_anew);
  EXPECT_EQ(submission.origin.back(), "--fresh");
}

TEST_F(SubmissionTest, RefusesMemoryThatIsTooSmall) {
  EXPECT_THROW(made("[submit]\nmemory = \"40M\"\n"), MemoryError);
  EXPECT_NO_THROW(made("[submit]\nmemory = \"0\"\n"));
}

TEST_F(SubmissionTest, RefusesWordsThatEndALineOfAScript) {
  EXPECT_THAT(refusal(context("", "out\nscancel")), testing::AllOf(HasSubstr("output.dir"), HasSubstr("out?scancel"), HasSubstr("control character")));
  JobContext job = context();
  job.arguments.settings = {"hmot.restarts=2\n#SBATCH --time=1"};
  EXPECT_THAT(refusal(job), HasSubstr("hmot.restarts=2?#SBATCH"));
  job = context("[submit]\nmemory = \"1G\"\n");
  const Stage broken{"simulate", {"a.toml"}, "b\rc"};
  EXPECT_THROW(make_submission(*comm, job, {broken}), ConfigError);
}

TEST_F(SubmissionTest, RefusesAChainOfUnknownMemoryAndStandardInput) {
  EXPECT_THROW(make_submission(*comm, context(), {Stage{"hmot", {"job.toml"}, "out"}}), ConfigError);
  JobContext job = context();
  job.arguments.target = "-";
  EXPECT_THAT(refusal(job), HasSubstr("standard input"));
}

}  // namespace
}  // namespace thalweg
