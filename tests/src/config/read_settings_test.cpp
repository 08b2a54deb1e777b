#include "config/read_settings.hpp"

#include <gmock/gmock.h>

#include "config/parse_toml.hpp"
#include "config/toml_text.hpp"
#include "distributed/error.hpp"
#include "example_options.hpp"

namespace thalweg::config {
namespace {

using testing::ElementsAre;
using testing::Pair;

/// Options read from a text, and the lines of the errors.
struct Read {
  ExampleOptions options;
  std::vector<Section> sections = {config::describe(options)};
  std::string errors;

  explicit Read(const std::string& text, const std::string& folder = "") {
    Problems problems;
    read_settings(parse_toml(text, "job.toml", folder), sections, problems);
    try {
      problems.throw_if_any();
    } catch (const ConfigError& error) {
      errors = error.what();
    }
  }
  Read(const Read&) = delete;
};

std::string errors_in(const std::string& line) { return Read("[example]\n" + line + "\n").errors; }

TEST(ReadSettings, AssignsEveryType) {
  const Read read(
      "[example]\nstep = 2\ncareful = false\ncount = 9\nkind = \"slow\"\nfile = \"x\"\nweights = [0, 1.5]\n"
      "times = [12.5, 3, \"E8\"]\nrank = [3, 4]\ntolerance = 1e-3\nthreads = 2\n"
      "filter = {batch = [\"a\", 1], kept = true}\ng = {source = \"g.tsv\"}\n"
      "[example.mask]\n\"0:1\" = \"m.tsv\"\nmode = \"forbid\"\n");
  EXPECT_EQ(read.errors, "");
  EXPECT_EQ(read.options.step, 2.0);
  EXPECT_FALSE(read.options.careful);
  EXPECT_EQ(read.options.count, 9);
  EXPECT_EQ(read.options.kind, "slow");
  EXPECT_THAT(read.options.weights, ElementsAre(0.0, 1.5));
  EXPECT_THAT(read.options.times, ElementsAre("12.5", "3", "E8"));
  EXPECT_THAT(read.options.rank, ElementsAre(3, 4));
  EXPECT_EQ(read.options.tolerance, Auto<double>(1e-3));
  EXPECT_EQ(read.options.threads, Auto<std::int64_t>(2));
  EXPECT_THAT(read.options.filter,
              ElementsAre(Pair("batch", ElementsAre("a", "1")), Pair("kept", ElementsAre("true"))));
  EXPECT_THAT(read.options.g.files, ElementsAre(Pair("source", "g.tsv")));
  EXPECT_THAT(read.options.mask, ElementsAre(Pair("0:1", "m.tsv")));
  EXPECT_EQ(read.options.mask_mode, "forbid");
}

TEST(ReadSettings, KeepsDefaultsOfWhatIsAbsent) {
  const Read read("");
  EXPECT_EQ(read.errors, "");
  EXPECT_EQ(read.options.count, 3);
  EXPECT_TRUE(read.options.tolerance.is_auto());
}

TEST(ReadSettings, AcceptsAutoAndASingleValueForAList) {
  const Read read("[example]\nrank = 7\ntolerance = \"auto\"\n");
  EXPECT_EQ(read.errors, "");
  EXPECT_THAT(read.options.rank, ElementsAre(7));
}

TEST(ReadSettings, ResolvesPathsAgainstTheFolderOfTheFile) {
  const Read read(
      "[example]\nfile = \"../x.h5ad\"\nmask = {\"0\" = \"labels\", \"1\" = \"m.tsv\", \"2\" = \"/m.tsv\"}\n",
      "a/jobs");
  EXPECT_EQ(read.options.file, "a/x.h5ad");
  EXPECT_THAT(read.options.mask, ElementsAre(Pair("0", "labels"), Pair("1", "a/jobs/m.tsv"), Pair("2", "/m.tsv")));
}

TEST(ReadSettings, NamesPlaceKeyAndExpectedType) {
  EXPECT_EQ(errors_in("step = \"x\""), "job.toml:2:8: example.step expects number, got text");
  EXPECT_EQ(errors_in("careful = 1"), "job.toml:2:11: example.careful expects boolean, got integer");
  EXPECT_EQ(errors_in("count = 2.0"), "job.toml:2:9: example.count expects integer, got number");
  EXPECT_EQ(errors_in("kind = []"), "job.toml:2:8: example.kind expects text, got list");
  EXPECT_EQ(errors_in("file = 3"), "job.toml:2:8: example.file expects path, got integer");
  EXPECT_EQ(errors_in("weights = 1.0"), "job.toml:2:11: example.weights expects list of numbers, got number");
  EXPECT_EQ(errors_in("weights = [1, \"x\"]"), "job.toml:2:15: example.weights expects number, got text");
  EXPECT_EQ(errors_in("times = [true]"), "job.toml:2:10: example.times expects time, got boolean");
  EXPECT_EQ(errors_in("rank = {}"), "job.toml:2:8: example.rank expects integer or list of integers, got table");
  EXPECT_EQ(errors_in("tolerance = \"small\""),
            "job.toml:2:13: example.tolerance expects number or \"auto\", got text");
  EXPECT_EQ(errors_in("filter = 1"), "job.toml:2:10: example.filter expects table of lists of names, got integer");
  EXPECT_EQ(errors_in("g = 1"), "job.toml:2:5: example.g expects text or table of paths, got integer");
  EXPECT_EQ(errors_in("step = 1979-05-27"), "job.toml:2:8: example.step expects number, got date");
  EXPECT_EQ(Read("example = 3").errors, "job.toml:1:1: example expects table, got integer");
}

TEST(ReadSettings, NamesTheBrokenRule) {
  EXPECT_EQ(errors_in("step = 0"), "job.toml:2:8: example.step = 0 is not allowed; it must be greater than 0");
  EXPECT_EQ(errors_in("step = nan"), "job.toml:2:8: example.step = nan is not allowed; it must be greater than 0");
  EXPECT_EQ(errors_in("count = 10"), "job.toml:2:9: example.count = 10 is not allowed; it must be between 1 and 9");
  EXPECT_EQ(errors_in("kind = \"fats\""),
            "job.toml:2:8: example.kind = \"fats\" is not allowed; did you mean 'fast'? allowed: fast, slow");
  EXPECT_EQ(errors_in("rank = []"), "job.toml:2:8: example.rank is an empty list; give at least one integer");
  EXPECT_EQ(errors_in("rank = [2, 0]"), "job.toml:2:12: example.rank = 0 is not allowed; it must be at least 1");
}

TEST(ReadSettings, RefusesWhatIsForLater) {
  const std::string later = " is not available in this version";
  EXPECT_EQ(errors_in("kind = \"slower\""),
            "job.toml:2:8: example.kind = \"slower\"" + later + "; allowed: fast, slow");
  EXPECT_EQ(errors_in("rank = \"auto\""), "job.toml:2:8: example.rank = \"auto\"" + later);
  EXPECT_EQ(errors_in("alpha = 0.2"), "job.toml:2:9: example.alpha = 0.2" + later + "; allowed: 0.0");
  EXPECT_EQ(errors_in("alpha = 0"), "");
  EXPECT_EQ(errors_in("bootstrap = 3"), "job.toml:2:1: 'example.bootstrap'" + later + " (replicates); remove it");
  EXPECT_EQ(errors_in("bounds = {a = 1}"), "job.toml:2:1: 'example.bounds'" + later + " (bounds); remove it");
}

TEST(ReadSettings, SuggestsTheNearestKnownKey) {
  EXPECT_EQ(errors_in("cuont = 3"), "job.toml:2:1: unknown key 'example.cuont'; did you mean 'example.count'?");
  EXPECT_EQ(errors_in("bootstap = 3"),
            "job.toml:2:1: unknown key 'example.bootstap'; did you mean 'example.bootstrap', which is not available in "
            "this version?");
  EXPECT_EQ(Read("exmaple = 3").errors, "job.toml:1:1: unknown key 'exmaple'; did you mean 'example'?");
  EXPECT_EQ(Read("count = 3").errors, "job.toml:1:1: unknown key 'count'; did you mean 'example.count'?");
  EXPECT_THAT(errors_in("something_else = 3"),
              testing::EndsWith("known: step, careful, count, kind, file, weights, "
                                "times, rank, tolerance, threads, mask, filter, g, alpha"));
}

TEST(ReadSettings, TellsEntriesOfAnOpenTableFromItsOptions) {
  EXPECT_EQ(errors_in("mask = {\"12.5:13.5\" = \"m.tsv\", early = \"m.tsv\"}"), "");
  EXPECT_EQ(errors_in("mask = {mdoe = \"allow\"}"),
            "job.toml:2:9: unknown key 'example.mask.mdoe'; did you mean 'example.mask.mode'?");
  EXPECT_EQ(errors_in("mask = {12.5 = \"m.tsv\"}"),
            "job.toml:2:9: example.mask.12 is a table; put the key in quotes if it holds a dot");
}

TEST(ReadSettings, TellsAllErrorsTogether) {
  const std::string errors = errors_in("step = 0\nnone = 1\ncount = \"x\"");
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 2);
}

TEST(ReadSettings, LeavesAMemberAsItWasAfterAnError) {
  EXPECT_EQ(Read("[example]\ncount = 100\n").options.count, 3);
  EXPECT_THAT(Read("[example]\nrank = [5, 0]\n").options.rank, ElementsAre(10));
}

TEST(RequireGiven, NamesWhatIsMissing) {
  const auto missing = [](const Read& read, const std::vector<std::string>& names) {
    Problems problems;
    require_given(read.sections, names, {.file = "job.toml"}, problems);
    return !problems.empty();
  };
  EXPECT_TRUE(missing(Read(""), {"example"}));
  EXPECT_FALSE(missing(Read(""), {"other"}));
  EXPECT_FALSE(missing(Read("[example]\nfile = \"x\"\n"), {"example"}));
}

TEST(ResolvedSettings, ReadBackAsTheSameOptions) {
  const Read first(
      "[example]\nstep = 0.1\nkind = \"slow\"\nfile = \"x\"\ntimes = [12.5]\nrank = [3, 4]\nthreads = 2\n"
      "filter = {batch = [\"a\"]}\ng = {source = \"g.tsv\"}\nmask = {\"0:1\" = \"m.tsv\", mode = \"forbid\"}\n",
      "jobs");
  const Table saved = resolved_settings(first.sections, {"example"});
  const Read second(toml_document(saved), "elsewhere");
  EXPECT_EQ(second.errors, "");
  EXPECT_TRUE(same_content({.data = saved}, {.data = resolved_settings(second.sections, {"example"})}))
      << toml_document(saved);
  EXPECT_THAT(toml_document(saved), testing::HasSubstr("/jobs/m.tsv"));
}

TEST(ResolvedSettings, OfDefaultsReadBackToo) {
  const Read first("");
  const Read second(toml_document(resolved_settings(first.sections, {"example"})));
  EXPECT_EQ(second.errors, "");
  EXPECT_THAT(changed_settings(second.sections, {"example"}), ElementsAre());
}

TEST(ChangedSettings, NamesOnlyWhatDiffersFromTheDefault) {
  const Read read("[example]\nstep = 0.5\ncount = 4\n");
  EXPECT_THAT(changed_settings(read.sections, {"example"}), ElementsAre("example.count = 4"));
}

}  // namespace
}  // namespace thalweg::config
