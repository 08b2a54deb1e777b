// Every key of the program, by the same three mistakes.
#include <gmock/gmock.h>

#include "config/parse_toml.hpp"
#include "config/read_settings.hpp"
#include "config/reference.hpp"
#include "config/toml_text.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/read_job.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::vector<std::string> all_tables = {
    "",    "input",  ResultOptions::part, "source",  "target",    "solver", SinkhornOptions::part,
    "run", "output", "hmot",              "lowrank", "transport", "export", "simulate"};

/// Error lines of a job text read with `settings` laid over it.
std::string errors_of(const std::string& text, const std::vector<std::string>& settings = {}) {
  Job job;
  std::vector<config::Section> sections = sections_of(job);
  config::Value root = config::parse_toml(text, "job.toml", "");
  for (const std::string& setting : settings)
    config::merge(*root.as<config::Table>(), *config::parse_setting(setting).as<config::Table>());
  config::Problems problems;
  config::read_settings(root, sections, problems);
  try {
    problems.throw_if_any();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

template <class Action>
void for_each_key(const Action& action) {
  Job job;
  for (const config::Section& section : sections_of(job))
    for (const config::Field& field : section.fields) action(field);
}

/// `key = value` on line 2 of a job.
std::string line(const std::string& key, const std::string& value) { return "\n" + key + " = " + value + "\n"; }

TEST(JobKeys, AWrongTypeIsNamedWithItsPlace) {
  int count = 0;
  for_each_key([&](const config::Field& field) {
    if (field.is_later) return;
    const std::string place = "job.toml:2:" + std::to_string(field.key.size() + 4);
    EXPECT_EQ(errors_of(line(field.key, "1979-05-27")),
              place + ": " + field.key + " expects " + field.type + ", got date");
    ++count;
  });
  EXPECT_GT(count, 80);
}

TEST(JobKeys, ABrokenRuleIsNamedWithItsPlace) {
  int count = 0;
  for_each_key([&](const config::Field& field) {
    if (field.is_later || field.is_open_table) return;
    const Rule& rule = field.rule;
    std::string bad;
    if (std::isfinite(rule.low)) bad = std::to_string(static_cast<long>(rule.low) - 1);
    if (!rule.words.empty()) bad = "\"no such word\"";
    if (bad.empty()) return;
    if (field.type.starts_with("list of")) bad = "[" + bad + "]";
    const std::string errors = errors_of(line(field.key, bad));
    EXPECT_THAT(errors, StartsWith("job.toml:2:")) << field.key;
    EXPECT_THAT(errors, HasSubstr(field.key + " = ")) << field.key;
    EXPECT_THAT(errors, HasSubstr(" is not allowed; ")) << field.key;
    ++count;
  });
  EXPECT_GT(count, 50);
}

TEST(JobKeys, AMisspeltKeyIsAnsweredWithTheRightOne) {
  for_each_key([&](const config::Field& field) {
    if (field.is_later) return;
    EXPECT_THAT(errors_of(line(field.key + "_x", "1")), StartsWith("job.toml:2:")) << field.key;
    EXPECT_THAT(errors_of(line(field.key + "_x", "1")), HasSubstr("unknown key '" + field.key + "_x'; did you mean '"));
  });
}

TEST(JobKeys, KeysAndWordsOfLaterVersionsSaySo) {
  int count = 0;
  for_each_key([&](const config::Field& field) {
    if (field.is_later) {
      EXPECT_THAT(errors_of(line(field.key, "1")), HasSubstr("'" + field.key + "' is not available in this version"));
      ++count;
    }
    for (const std::string& word : field.rule.later_words) {
      EXPECT_THAT(errors_of(line(field.key, "\"" + word + "\"")), HasSubstr("is not available in this version"));
      ++count;
    }
  });
  EXPECT_GT(count, 50);
}

TEST(JobKeys, NoDefaultButAMissingFileBreaksItsOwnRule) {
  Job job;
  const auto sections = sections_of(job);
  EXPECT_EQ(errors_of(config::toml_document(config::resolved_settings(sections, all_tables))),
            "job.toml:4:8: input.file is an empty list; give at least one path");
}

TEST(JobKeys, ReferenceManualIsFresh) {
  Job job;
  EXPECT_EQ(read_text_file(THALWEG_SOURCE_DIR "/docs/reference.md"), config::markdown_reference(sections_of(job)))
      << "run: thalweg describe --markdown > docs/reference.md";
}

TEST(JobKeys, TheCommandLineBeatsTheFile) {
  EXPECT_EQ(errors_of("hmot.restarts = 0\n", {"hmot.restarts=2"}), "");
  EXPECT_THAT(errors_of("hmot.restarts = 2\n", {"hmot.restarts=0"}), StartsWith("--set: hmot.restarts = 0"));
  EXPECT_THAT(errors_of("", {"hmot.restrats=2"}), StartsWith("--set: unknown key 'hmot.restrats'"));
}

/// Error lines of a whole job for one command.
std::string job_errors(const std::string& command, const std::string& text) {
  JobContext context;
  context.command = command;
  try {
    std::vector<std::string> used = {"input", command, "solver", "run", "output"};
    if (command == "transport") used.insert(used.end(), {"source", "target", SinkhornOptions::part, "export"});
    if (command == "gromov") used = gromov_tables();
    if (command == "align") used = align_tables();
    if (command == "embed train") used = embed_train_tables();
    read_job(config::parse_toml(text, "job.toml", ""), used, context);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

const std::string shared = "input = {file = \"x.h5ad\", time_key = \"day\"}\noutput.dir = \"out\"\n";

TEST(ReadJob, NamesMissingKeys) {
  EXPECT_EQ(job_errors("hmot", ""),
            "job.toml: 'input.file' is missing (AnnData file, or several whose rows are put one after another); set it "
            "in the job file or with --set\n"
            "job.toml: 'output.dir' is missing (results directory, created if absent); set it in the job file or with "
            "--set");
  EXPECT_EQ(job_errors("hmot", shared), "");
}

TEST(ReadJob, ChecksKeysThatBelongTogether) {
  EXPECT_THAT(job_errors("hmot", "input.file = \"x\"\noutput.dir = \"out\"\n"), HasSubstr("needs input.time_key"));
  EXPECT_THAT(job_errors("hmot", shared + "hmot.mode = \"transfer\"\n"), StartsWith("job.toml:3:13: "));
  EXPECT_THAT(job_errors("hmot", shared + "hmot.mode = \"supervised\"\n"), HasSubstr("needs labels"));
  EXPECT_THAT(job_errors("hmot", shared + "hmot.identity = true\n"), HasSubstr("transfer"));
  EXPECT_THAT(job_errors("hmot", shared + "hmot.clusterings = [\"reference\"]\n"), HasSubstr("hmot.reference"));
  EXPECT_THAT(job_errors("lowrank", shared + "lowrank.rank = [1, 2, 3]\n"), HasSubstr("has 3 entries"));
  EXPECT_THAT(job_errors("lowrank", shared + "lowrank = {rank = [1, 2], form = \"lot\"}\n"), HasSubstr("one rank"));
  EXPECT_THAT(job_errors("lowrank", shared + "lowrank.g = {sauce = \"g.tsv\"}\n"), HasSubstr("known: source, target"));
  EXPECT_EQ(job_errors("lowrank", shared + "lowrank.g = {source = \"g.tsv\"}\n"), "");
  EXPECT_EQ(job_errors("lowrank", shared + "lowrank = {objective = \"fgw\", alpha = 0.2, cost = \"cosine\"}\n"), "");
  EXPECT_EQ(job_errors("lowrank", shared + "lowrank.objective = \"gw\"\n"), "");
  EXPECT_THAT(job_errors("lowrank", shared + "lowrank = {objective = \"gw\", alpha = 0.2}\n"), HasSubstr("lowrank.alpha weighs the parts"));
  EXPECT_THAT(job_errors("lowrank", shared + "lowrank = {objective = \"fgw\", alpha = 1.5}\n"), HasSubstr("lowrank.alpha"));
  EXPECT_EQ(job_errors("lowrank", shared + "lowrank = {objective = \"gw\", cost = \"cosine\"}\n"), "");
  EXPECT_THAT(job_errors("lowrank", shared + "lowrank = {objective = \"gw\", cost = \"euclidean\"}\n"), HasSubstr("not available in this version"));
  EXPECT_THAT(job_errors("hmot", shared + "hmot.alpha = -0.1\n"), HasSubstr("hmot.alpha"));
}

TEST(ReadJob, ChecksKeysOfTransportThatBelongTogether) {
  EXPECT_EQ(job_errors("transport", shared), "");
  EXPECT_THAT(job_errors("transport", "input.file = \"x\"\noutput.dir = \"out\"\n"), HasSubstr("transport needs two sides"));
  EXPECT_EQ(job_errors("transport", shared + "solver = {lambda1 = 1, tau_b = 0.9}\n"), "");
  EXPECT_EQ(job_errors("transport", shared + "[solver]\nlambda1 = 1\ntau_a = 0.9\n"),
            "job.toml:5:9: solver.tau_a and solver.lambda1 say the same thing in two ways; remove one of them");
  EXPECT_EQ(job_errors("transport", shared + "solver = {lambda2 = inf, tau_b = 0.9}\n"), "");
  EXPECT_EQ(job_errors("transport", shared + "solver = {lambda2 = nan}\n"),
            "job.toml:3:21: solver.lambda2 = nan is not allowed; it must be greater than 0; one of: inf");
  EXPECT_THAT(job_errors("transport", shared + "solver.tau_b = 1.5\n"), HasSubstr("solver.tau_b = 1.5 is not allowed"));
  EXPECT_THAT(job_errors("transport", shared + "solver.epsilon = 0\n"), HasSubstr("job.toml:3:18: solver.epsilon = 0 is not allowed"));
  EXPECT_THAT(job_errors("transport", shared + "transport.divergence = true\nsolver.cost = \"dense\"\n"), StartsWith("job.toml:3:24: transport.divergence"));
  EXPECT_THAT(job_errors("transport", shared + "export.prefix = \"a/b\"\n"), HasSubstr("export.prefix"));
  EXPECT_THAT(job_errors("transport", shared + "solver.pair = {}\n"), HasSubstr("'solver.pair' is not available in this version"));
}

TEST(ReadJob, NamesTheKeyThatAnAlignmentReadsInstead) {
  EXPECT_EQ(job_errors("gromov", shared + "gromov.epsilon = 0.02\nsolver.precision = \"float64\"\n"), "");
  EXPECT_EQ(job_errors("gromov", shared + "solver.epsilon = 0.01\n"),
            "job.toml:3:18: solver.epsilon is not read by gromov; use gromov.epsilon");
  EXPECT_THAT(job_errors("align", shared + "solver.cost = \"cosine\"\n"),
              HasSubstr("solver.cost is not read by align; use align.cost"));
  EXPECT_THAT(job_errors("gromov", shared + "solver.form = \"ring\"\n"), HasSubstr("solver.form is not read by gromov; remove it"));
  EXPECT_THAT(job_errors("align", shared + "gromov.landmarks = 30\n"), HasSubstr("gromov.landmarks is not read by align; remove it"));
  EXPECT_EQ(job_errors("align", shared + "gromov.starts = 3\n"), "");
  EXPECT_THAT(job_errors("align", shared + "source.cost = \"cosine\"\n"),
              HasSubstr("source.cost is not read by align; use align.cost"));
  EXPECT_THAT(job_errors("gromov", shared + "gromov.solve_points = 10\n"), HasSubstr("gromov.solve_points is not read by gromov on cells"));
  EXPECT_EQ(job_errors("gromov", shared + "gromov.anchors = \"pairs.tsv\"\n"), "");
  EXPECT_THAT(job_errors("gromov", shared + "problem.policy = \"star\"\n"), HasSubstr("problem.policy is not read by gromov"));
  const std::string surfaces = "input.file = \"x.off\"\noutput.dir = \"out\"\n";
  EXPECT_EQ(job_errors("gromov", surfaces + "target.file = \"y.off\"\ngromov.starts = 3\n"), "");
  EXPECT_THAT(job_errors("gromov", surfaces + "target.file = \"y.off\"\ngromov.geodesic_k = 9\n"),
              HasSubstr("gromov.geodesic_k is not read by gromov on surfaces; remove it"));
}

TEST(ReadJob, NamesTheKeyThatTheTrainingOfEncodersReadsInstead) {
  EXPECT_EQ(job_errors("embed train", shared + "gromov.starts = 3\nembed.gw_epsilon = 0.02\n"), "");
  EXPECT_EQ(job_errors("embed train", shared + "gromov.epsilon = 0.02\n"),
            "job.toml:3:18: gromov.epsilon is not read by embed train; use embed.gw_epsilon");
  EXPECT_THAT(job_errors("embed train", shared + "solver.epsilon = 0.02\n"),
              HasSubstr("solver.epsilon is not read by embed train; use embed.gw_epsilon"));
  EXPECT_THAT(job_errors("embed train", shared + "gromov.anchors = \"pairs.tsv\"\n"),
              HasSubstr("gromov.anchors is not read by embed train; use embed.anchors"));
}

/// Results are saved with all defaults, those of keys that are not read among them.
TEST(ReadJob, TakesTheDefaultsOfKeysThatAreNotRead) {
  for (const std::string& text : {shared, std::string("input.file = \"x.off\"\ntarget.file = \"y.off\"\noutput.dir = \"out\"\n")}) {
    JobContext first, second;
    first.command = second.command = "gromov";
    read_job(config::parse_toml(text, "job.toml", ""), gromov_tables(), first);
    const std::string saved = config::toml_document(first.resolved);
    read_job(config::parse_toml(saved, "job.toml", ""), gromov_tables(), second);
    EXPECT_EQ(config::toml_document(second.resolved), saved);
  }
}

TEST(ReadJob, SavesSettingsThatReadBackAsTheSameJob) {
  JobContext first, second;
  first.command = second.command = "hmot";
  const std::vector<std::string> used = {"input", "hmot", "solver", "run", "output"};
  const std::string text =
      shared + "run.seed = 7\n[hmot]\nrank = [3, 4]\nepsilon_end = 3e-4\n[hmot.fix.labels]\n\"12.5\" = \"obs/x\"\n";
  read_job(config::parse_toml(text, "job.toml", "jobs"), used, first);
  const std::string saved = config::toml_document(first.resolved);
  read_job(config::parse_toml(saved, "job.toml", "elsewhere"), used, second);
  EXPECT_EQ(config::toml_document(second.resolved), saved);
  EXPECT_EQ(second.job.hmot.rank, first.job.hmot.rank);
  EXPECT_EQ(second.job.hmot.fix_labels, first.job.hmot.fix_labels);
  EXPECT_EQ(second.job.run.seed, 7);
  EXPECT_EQ(second.job.top.command, "hmot");
}

}  // namespace
}  // namespace thalweg
