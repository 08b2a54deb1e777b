#include "cli/arguments.hpp"

#include <gmock/gmock.h>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(const std::vector<std::string>& words) {
  try {
    parse_command_line(words);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(CommandLine, HoldsWhatWasGiven) {
  const CommandLine line = parse_command_line({"simulate", "--set", "run.seed=3", "job.toml", "--set", "simulate.dt=-1",
                                               "--out", "here", "--dry-run", "--quiet"});
  EXPECT_EQ(line.command->name, "simulate");
  EXPECT_EQ(line.arguments.target, "job.toml");
  EXPECT_THAT(line.arguments.settings, ElementsAre("run.seed=3", "simulate.dt=-1"));
  EXPECT_EQ(line.arguments.output_dir, "here");
  EXPECT_TRUE(line.arguments.dry_run);
  EXPECT_TRUE(line.arguments.quiet);
  EXPECT_FALSE(line.arguments.verbose);
  EXPECT_FALSE(line.text.has_value());
}

TEST(CommandLine, TakesADashForStandardInput) {
  EXPECT_EQ(parse_command_line({"simulate", "-"}).arguments.target, "-");
}

TEST(CommandLine, TakesAnOptionalSection) {
  EXPECT_EQ(parse_command_line({"describe"}).arguments.target, "");
  EXPECT_EQ(parse_command_line({"describe", "hmot"}).arguments.target, "hmot");
}

TEST(CommandLine, AnswersHelpAndVersionWithText) {
  EXPECT_THAT(*parse_command_line({"--version"}).text, testing::StartsWith("thalweg "));
  EXPECT_THAT(*parse_command_line({"--help"}).text, HasSubstr("hmot"));
  EXPECT_THAT(*parse_command_line({"hmot", "--help"}).text, HasSubstr("--set"));
}

TEST(CommandLine, RefusesWhatItDoesNotKnowInOneLine) {
  EXPECT_THAT(error_of({}), HasSubstr("no command"));
  EXPECT_THAT(error_of({"hmto"}), HasSubstr("did you mean 'hmot'?"));
  EXPECT_THAT(error_of({"hiref"}), HasSubstr("not available in this version"));
  EXPECT_THAT(error_of({"--quiet", "hmot"}), HasSubstr("before a command"));
  for (const auto& words : std::vector<std::vector<std::string>>{{"hmot"},
                                                                 {"hmot", "a.toml", "b.toml"},
                                                                 {"hmot", "a.toml", "--sett", "x=1"},
                                                                 {"hmot", "a.toml", "--set"},
                                                                 {"hmot", "a.toml", "--quiet", "--verbose"}}) {
    EXPECT_THAT(error_of(words), testing::StartsWith("command line: "));
    EXPECT_THAT(error_of(words), testing::EndsWith("see thalweg hmot --help"));
    EXPECT_EQ(error_of(words).find('\n'), std::string::npos);
  }
}

TEST(CommandLine, RefusesOptionsOfLaterVersionsByName) {
  EXPECT_EQ(error_of({"hmot", "a.toml", "--stub"}), "--stub is not available in this version; leave it out");
}

TEST(CommandLine, GoesOnOrBeginsAnew) {
  EXPECT_TRUE(parse_command_line({"hmot", "a.toml", "--resume"}).arguments.resume);
  EXPECT_TRUE(parse_command_line({"hmot", "a.toml", "--fresh"}).arguments.fresh);
  EXPECT_THAT(error_of({"hmot", "a.toml", "--fresh", "--resume"}), testing::StartsWith("command line: "));
}

TEST(Commands, EveryOneNamesTablesThatExist) {
  Job job;
  std::vector<std::string> known;
  for (const config::Section& section : sections_of(job)) known.push_back(section.part);
  for (const Command& command : commands())
    for (const std::string& table : command.sections) EXPECT_THAT(known, testing::Contains(table)) << command.name;
}

}  // namespace
}  // namespace thalweg
