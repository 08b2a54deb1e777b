#include "job/slurm/shell_text.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "io/text_file.hpp"

namespace thalweg {
namespace {

TEST(ShellText, ComesBackFromAShellAsItWas) {
  for (const std::string text : {"plain", "two words", "it's", "$HOME `x` \\ \"q\"", "a=[1, 2]", "*", ""}) {
    const std::string path = testing::TempDir() + "/thalweg_shell_word";
    ASSERT_EQ(std::system(("printf %s " + shell_word(text) + " > " + shell_word(path)).c_str()), 0);
    EXPECT_EQ(read_text_file(path), text);
  }
  EXPECT_EQ(shell_line({"thalweg", "hmot", "my job.toml"}), "thalweg hmot 'my job.toml'");
}

TEST(ShellText, LogNamesKeepPercentSignsAndSpacesOfFolders) {
  EXPECT_EQ(log_name("out/x", "slurm-%j.log"), "out/x/slurm-%j.log");
  EXPECT_EQ(log_name("a b/50%", "slurm-%j.log"), "\"a b/50%%/slurm-%j.log\"");
}

TEST(ShellText, ValuesOfSlurmAreQuotedWhereTheyNeedIt) {
  EXPECT_EQ(sbatch_value("a100&nvlink"), "a100&nvlink");
  EXPECT_EQ(sbatch_value("two words"), "\"two words\"");
  EXPECT_EQ(sbatch_value("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(sbatch_value(""), "\"\"");
}

TEST(ShellText, ControlCharactersAreShownAsQuestionMarks) { EXPECT_EQ(without_control_characters("a\nb\tc d"), "a?b?c d"); }

}  // namespace
}  // namespace thalweg
