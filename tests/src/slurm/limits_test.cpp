#include "job/slurm/limits.hpp"

#include <gmock/gmock.h>

#include "config/parse_toml.hpp"
#include "config/read_settings.hpp"
#include "distributed/error.hpp"
#include "job/job.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

TEST(TimeLimits, HaveTheSixFormsOfSlurm) {
  EXPECT_EQ(seconds_of_limit("90"), 90 * 60);
  EXPECT_EQ(seconds_of_limit("1:30"), 90);
  EXPECT_EQ(seconds_of_limit("04:00:00"), 4 * 3600);
  EXPECT_EQ(seconds_of_limit("2-3"), 2 * 86400 + 3 * 3600);
  EXPECT_EQ(seconds_of_limit("2-3:30"), 2 * 86400 + 3 * 3600 + 30 * 60);
  EXPECT_EQ(seconds_of_limit("1-00:00:01"), 86400 + 1);
}

TEST(TimeLimits, OtherTextsAreNone) {
  for (const char* text : {"", "0", "0-0", "1:2:3:4", "4h", "-1", "1-", "-", "1:", ":1", "1-2-3", "1.5", "99999999999999999999"})
    EXPECT_EQ(seconds_of_limit(text), std::nullopt) << text;
}

TEST(Sizes, AreMebibytesRoundedUp) {
  EXPECT_EQ(mebibytes_of_size("512"), 512);
  EXPECT_EQ(mebibytes_of_size("512M"), 512);
  EXPECT_EQ(mebibytes_of_size("1025K"), 2);
  EXPECT_EQ(mebibytes_of_size("3G"), 3 * 1024);
  EXPECT_EQ(mebibytes_of_size("2T"), 2 * 1024 * 1024);
  EXPECT_EQ(mebibytes_of_size("0"), 0);
  for (const char* text : {"", "G", "1.5G", "3GB", "-1", "1 G", "g"}) EXPECT_EQ(mebibytes_of_size(text), std::nullopt) << text;
}

/// Problems of a [submit] table.
std::string problems_of(const std::string& lines) {
  const config::Value root = config::parse_toml("[submit]\n" + lines, "job.toml", "");
  Job job;
  std::vector<config::Section> sections = sections_of(job);
  config::Problems problems;
  config::read_settings(root, sections, problems);
  problems.throw_if_any();
  check_submit(job.submit, root, problems);
  try {
    problems.throw_if_any();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(SubmitKeys, DefaultsAndPlainUsesHaveNoProblem) {
  EXPECT_EQ(problems_of(""), "");
  EXPECT_EQ(problems_of("nodes = 4\nmemory = \"64G\"\ntime = \"1-0\"\npartition = \"cpu\"\nconstraint = \"a100&nvlink\"\n"), "");
  EXPECT_EQ(problems_of("array = \"seeds\"\narray_values = [0, 1, 2]\narray_limit = 2\n"), "");
  EXPECT_EQ(problems_of("array = \"pairs\"\narray_values = [\"12.0:12.5\"]\n"), "");
  EXPECT_EQ(problems_of("prologue = [\"source setup.sh\"]\nextra_sbatch = [\"--mail-type=END\"]\n"), "");
}

TEST(SubmitKeys, ProblemsNameThePlaceAndWhatIsAllowed) {
  EXPECT_THAT(problems_of("time = \"4h\"\n"), testing::AllOf(HasSubstr("job.toml:2:8: submit.time = \"4h\""), HasSubstr("hours:minutes:seconds")));
  EXPECT_THAT(problems_of("memory = \"lots\"\n"), HasSubstr("job.toml:2:10: submit.memory = \"lots\" is no size"));
  EXPECT_THAT(problems_of("time = \"2\"\n"), HasSubstr("submit.signal_lead_s = 120 leaves nothing of submit.time"));
  EXPECT_THAT(problems_of("partition = \"a b\"\n"), HasSubstr("holds a space or a quote"));
  EXPECT_THAT(problems_of("prologue = [\"a\\nb\"]\n"), HasSubstr("submit.prologue holds a text of several lines"));
  EXPECT_THAT(problems_of("extra_sbatch = [\"mail\"]\n"), HasSubstr("begins with --"));
  EXPECT_THAT(problems_of("array = \"seeds\"\n"), HasSubstr("needs submit.array_values"));
  EXPECT_THAT(problems_of("array = \"ranks\"\narray_values = [0]\n"), HasSubstr("holds \"0\", which is none of ranks"));
  EXPECT_THAT(problems_of("array = \"seeds\"\narray_values = [\"007\"]\n"), HasSubstr("holds \"007\", which is none of seeds"));
  EXPECT_THAT(problems_of("container = \"a\\nb\"\n"), HasSubstr("several lines"));
  EXPECT_THAT(problems_of("array = \"seeds\"\narray_values = [1, 1]\n"), HasSubstr("twice"));
  EXPECT_THAT(problems_of("array = \"pairs\"\narray_values = [12.5]\n"), HasSubstr("write \"t0:t1\""));
  EXPECT_THAT(problems_of("array_values = [1]\n"), HasSubstr("belongs to submit.array"));
  EXPECT_THAT(problems_of("array = \"pairs\"\nchain = [\"hmot\"]\n"), HasSubstr("do not go together"));
}

}  // namespace
}  // namespace thalweg
