#include "job/slurm/batch_script.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "io/text_file.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;
using testing::Not;

Submission example() {
  Submission submission;
  submission.origin = {"job.toml"};
  submission.results = "out/x";
  submission.stage = {"hmot", {"job.toml", "--set", "hmot.rank=[3, 4]"}, "out/x"};
  submission.cpus_per_rank = 4;
  submission.memory_mib = 2048;
  submission.lead_s = 120;
  return submission;
}

TEST(BatchScript, AsksForWhatIsSetAndNothingElse) {
  Submission submission = example();
  const std::string plain = batch_script(submission);
  for (const char* option : {"partition", "account", "qos", "constraint", "gpus-per-node", "exclusive", "array"})
    EXPECT_THAT(plain, Not(HasSubstr(std::string("#SBATCH --") + option)));
  EXPECT_THAT(plain, HasSubstr("#SBATCH --mem=2G\n"));
  submission.options.partition = "long";
  submission.options.gpus_per_node = 4;
  submission.is_exclusive = true;
  submission.memory_mib = 1500;
  submission.options.extra_sbatch = {"--mail-type=END"};
  const std::string all = batch_script(submission);
  for (const char* line : {"#SBATCH --partition=long\n", "#SBATCH --gpus-per-node=4\n", "#SBATCH --exclusive\n", "#SBATCH --mem=1500M\n", "#SBATCH --mail-type=END\n",
                           "--gpu-bind=none", "export NCCL_DEBUG=WARN\n"})
    EXPECT_THAT(all, HasSubstr(line));
}

TEST(BatchScript, RunsTheJobWithItsSettingsAndResumes) {
  EXPECT_THAT(batch_script(example()), HasSubstr("\"${THALWEG:-thalweg}\" hmot job.toml --set 'hmot.rank=[3, 4]' --resume\n"));
  Submission contained = example();
  contained.options.container = "my.sif";
  EXPECT_THAT(batch_script(contained), HasSubstr("apptainer exec my.sif thalweg hmot "));
}

/// A requeued start must not throw away what the first one reached.
TEST(BatchScript, BeginsAnewAtTheFirstStartOnly) {
  Submission submission = example();
  submission.stage.begins_anew = true;
  const std::string script = batch_script(submission);
  EXPECT_THAT(script, HasSubstr("--set 'hmot.rank=[3, 4]' \"$resume\"\n"));
  const std::string path = testing::TempDir() + "/thalweg_restart";
  const std::size_t begin = script.find("resume=--fresh"), end = script.find("threads=");
  ASSERT_LT(begin, end);
  write_text_file(path, script.substr(begin, end - begin) + "[ \"$resume\" = \"$1\" ]\n");
  EXPECT_EQ(std::system(("env -u SLURM_RESTART_COUNT bash -u " + path + " --fresh").c_str()), 0);
  EXPECT_EQ(std::system(("SLURM_RESTART_COUNT=0 bash -u " + path + " --fresh").c_str()), 0);
  EXPECT_EQ(std::system(("SLURM_RESTART_COUNT=1 bash -u " + path + " --resume").c_str()), 0);
}

TEST(ChainScript, BeginsStagesAnewAtTheirFirstStartOnly) {
  Submission submission = example();
  Stage anew{"hmot", {"job.toml"}, "out/x"};
  anew.begins_anew = true;
  submission.chain = {{"simulate", {"a.toml"}, "out/a"}, anew, {"report", {"out/x"}, "out/x", false}};
  EXPECT_THAT(chain_script(submission), HasSubstr("stage out/a simulate a.toml --resume\nstage out/x hmot job.toml --fresh\nstage out/x report out/x\n"));
  const std::string script = batch_script(submission), path = testing::TempDir() + "/thalweg_restart_of_stage";
  const std::size_t begin = script.find("if [ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ]"), end = script.find("threads=");
  ASSERT_LT(begin, end);
  write_text_file(path, script.substr(begin, end - begin) + "[ \"$*\" = \"hmot job.toml $WANTED\" ]\n");
  EXPECT_EQ(std::system(("WANTED=--fresh bash -u " + path + " hmot job.toml --fresh").c_str()), 0);
  EXPECT_EQ(std::system(("SLURM_RESTART_COUNT=2 WANTED=--resume bash -u " + path + " hmot job.toml --fresh").c_str()), 0);
}

/// Runs the part that launches with a false mpirun, which ends with 5 once it is told, else with 7.
int status_of_launch(const std::string& before, const std::string& told) {
  Submission submission = example();
  submission.options.launcher = "mpirun";
  const std::string script = batch_script(submission), path = testing::TempDir() + "/thalweg_launch";
  const std::size_t begin = script.find("launcher=\n"), end = script.find("record end");
  std::string launch = script.substr(begin, end - begin);
  const std::string line = " &\nlauncher=$!\n";
  launch.replace(launch.find(line), line.size(), line + told);
  write_text_file(path, "set -uo pipefail\nthreads=1 SLURM_NTASKS=1\n"
                        "mpirun() { exec bash -c 'trap \"sleep 0.1; exit 5\" USR1; for i in 1 2 3 4 5 6; do sleep 0.1; done; exit 7'; }\n" +
                            before + launch + "exit \"$status\"\n");
  return WEXITSTATUS(std::system(("bash " + path).c_str()));
}

TEST(BatchScript, HasTheStatusOfMpirunWheneverTheSignalComes) {
  EXPECT_EQ(status_of_launch("", ""), 7);
  EXPECT_EQ(status_of_launch("", "self=$$; (sleep 0.3; kill -USR1 $self) &\n"), 5) << "while the script waits";
  EXPECT_EQ(status_of_launch("", "sleep 0.1; kill -USR1 $$\n"), 5) << "before it waits";
  EXPECT_EQ(status_of_launch("", "self=$$; (sleep 0.3; kill -USR1 $self; sleep 0.05; kill -USR1 $self) &\n"), 5) << "twice";
}

TEST(BatchScript, SignalsRanksOfSrunAndTheScriptOfMpirun) {
  Submission submission = example();
  EXPECT_THAT(batch_script(submission), testing::AllOf(HasSubstr("--signal=USR1@120\n"), HasSubstr("--kill-on-bad-exit=1"), Not(HasSubstr("trap"))));
  submission.options.launcher = "mpirun";
  EXPECT_THAT(batch_script(submission), testing::AllOf(HasSubstr("--signal=B:USR1@120\n"), HasSubstr("trap"), Not(HasSubstr("srun "))));
}

TEST(BatchScript, WithoutRequeueEndsWithTheCode) {
  Submission submission = example();
  submission.options.max_restarts = 7;
  EXPECT_THAT(batch_script(submission), testing::AllOf(HasSubstr("scontrol requeue"), HasSubstr("-ge 7 "), Not(HasSubstr("@"  "max"))));
  submission.options.requeue = false;
  EXPECT_THAT(batch_script(submission), testing::AllOf(Not(HasSubstr("scontrol")), HasSubstr("#SBATCH --no-requeue"), testing::EndsWith("exit \"$status\"\n")));
}

TEST(BatchScript, ArraysLimitTheirTasksAndFindTheirItem) {
  Submission submission = example();
  submission.items = {{"rank_4", "hmot.rank=4"}, {"rank_8", "hmot.rank=8"}, {"rank_9", "hmot.rank=9"}};
  submission.options.array_limit = 2;
  EXPECT_THAT(batch_script(submission), testing::AllOf(HasSubstr("#SBATCH --array=0-2%2\n"), HasSubstr("slurm-%A_%a.log"), HasSubstr("--set run.item=\"$SLURM_ARRAY_TASK_ID\" --resume")));
}

TEST(ChainScript, SubmitsEveryStageBehindTheOneBefore) {
  Submission submission = example();
  submission.chain = {{"simulate", {"a.toml"}, "out/a"}, {"hmot", {"job.toml"}, "out/x"}, {"report", {"out/x"}, "out/x", false}};
  const std::string script = chain_script(submission);
  EXPECT_THAT(script, HasSubstr("stage out/a simulate a.toml --resume\nstage out/x hmot job.toml --resume\nstage out/x report out/x\n"));
  EXPECT_THAT(script, testing::AllOf(HasSubstr("--dependency=\"afterok:$previous\" --kill-on-invalid-dep=yes"), HasSubstr("\"${THALWEG:-thalweg}\" \"$@\"\n")));
}

/// Any mixture of options is a script that a shell can read.
TEST(BatchScript, ParsesWithAllOptions) {
  Submission submission = example();
  submission.options.modules = {"gcc", "openmpi"};
  submission.options.prologue = {"source 'my setup.sh'"};
  submission.options.container = "it's.sif";
  submission.results = "out/it's";
  submission.items = {{"seed_1", "run.seed=1"}};
  const std::string path = testing::TempDir() + "/thalweg_batch_script";
  for (const char* launcher : {"srun", "mpirun"}) {
    for (const std::int64_t cpus : {0, 4}) {
      submission.options.launcher = launcher;
      submission.cpus_per_rank = cpus;
      write_text_file(path, batch_script(submission));
      EXPECT_EQ(std::system(("bash -n " + path).c_str()), 0);
    }
  }
  submission.items.clear();
  submission.chain = {submission.stage};
  write_text_file(path, chain_script(submission));
  EXPECT_EQ(std::system(("bash -n " + path).c_str()), 0);
}

}  // namespace
}  // namespace thalweg
