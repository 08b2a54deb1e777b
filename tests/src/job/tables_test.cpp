#include <gmock/gmock.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/convergence_table.hpp"
#include "job/event_log.hpp"
#include "job/index_table.hpp"
#include "job/job_hash.hpp"
#include "job/text_hash.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;

TEST(ConvergenceTable, PutsTheEnginesColumnsLast) {
  ConvergenceTable table({"sweep", "passes"});
  ConvergenceRow row{.problem = "a,b", .stage = "full"};
  row.level = 2;
  row.epsilon = 0.1;
  row.objective = -1.5;
  row.stop_reason = StopReason::converged;
  row.extra = {3.0};
  table.add(row);
  EXPECT_EQ(table.csv(),
            "problem,stage,level,outer,inner,epsilon,objective,primal,dual,gap,marginal_error_source,"
            "marginal_error_target,change,seconds,stop_reason,sweep,passes\n"
            "\"a,b\",full,2,,,0.1,-1.5,,,,,,,,converged,3,\n");
}

TEST(ConvergenceTable, OfNoRowsIsItsHeader) {
  const std::string csv = ConvergenceTable().csv();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1);
  EXPECT_TRUE(csv.ends_with("stop_reason\n"));
}

TEST(IndexTable, HasOneRowAProblem) {
  IndexRow row{.pair = "0.0_1.0", .source = "0", .target = "1"};
  row.n = 5000000000;
  row.m = 2;
  row.cost = 1.0 / 3.0;
  row.stop_reason = StopReason::max_iterations;
  const std::string text = index_tsv({row});
  EXPECT_THAT(text,
              testing::HasSubstr(
                  "\n0.0_1.0\t0\t1\t5000000000\t2\t\t0.3333333333333333\t\t\t\t\t\t0\tmax_iterations\tFalse\t\t\t\n"));
}

TEST(IndexTable, QuotesNamesWithTabsAndLines) {
  IndexRow row{.pair = "hmot", .source = "f\tg", .target = "a\nb"};
  EXPECT_THAT(index_tsv({row}), testing::HasSubstr("\nhmot\t\"f\tg\"\t\"a\nb\"\t0\t0\t"));
}

TEST(PairName, HasShortDecimalsOrTheKey) {
  EXPECT_EQ(pair_name(12.0, 12.5), "12.0_12.5");
  EXPECT_EQ(pair_name("batch", "a", "b"), "batch-a_batch-b");
}

TEST(EventLog, WritesOneJsonObjectALineAtOnce) {
  const std::string path = testing::TempDir() + "thalweg_events.jsonl";
  EventLog log(path);
  Event event{.event = "check", .pair = "\"odd\"\n name", .iteration = 3};
  event.gap = std::nan("");
  event.epsilon = 0.05;
  log.write(event);
  const auto first = nlohmann::json::parse(read_text_file(path));
  EXPECT_EQ(first["event"], "check");
  EXPECT_EQ(first["pair"], "\"odd\"\n name");
  EXPECT_EQ(first["iteration"], 3);
  EXPECT_EQ(first["epsilon"], 0.05);
  EXPECT_FALSE(first.contains("gap"));
  EXPECT_GE(first["t"].get<double>(), 0.0);
  log.write({.event = "done"});
  std::istringstream lines(read_text_file(path));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(nlohmann::json::accept(line));
  EXPECT_EQ(count, 2);
  std::remove(path.c_str());
}

TEST(EventLog, HeldBackLeavesTheFileUntilItIsOpened) {
  const std::string path = testing::TempDir() + "thalweg_held.jsonl";
  write_text_file(path, "of an earlier run");
  EventLog log(path, /*is_held=*/true);
  log.write({.event = "phase", .text = "read"});
  EXPECT_EQ(read_text_file(path), "of an earlier run");
  log.open();
  log.write({.event = "done"});
  log.open();
  const std::string text = read_text_file(path);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_THAT(text, testing::HasSubstr("\"text\":\"read\""));
  std::remove(path.c_str());
}

TEST(EventLog, WithoutAFileDropsEvents) { EventLog().write({.event = "done"}); }

TEST(EventLog, ThatCannotBeOpenedIsAnIoError) { EXPECT_THROW(EventLog("/nonexistent/log.jsonl"), IoError); }

TEST(EventLog, OnAFullDiskWarnsOnce) {
  EventLog log("/dev/full");
  testing::internal::CaptureStderr();
  log.write({.event = "check"});
  log.write({.event = "check"});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, testing::StartsWith("warning: event_log: "));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(JobHash, IgnoresWhatCannotChangeAResult) {
  const auto settings = [](const char* text) { return result_settings(nlohmann::json::parse(text)); };
  const auto base =
      settings(R"({"run":{"seed":1,"deterministic":true,"threads":"auto"},"hmot":{"rank":3},"output":{"dir":"a"}})");
  const auto same =
      settings(R"({"output":{"dir":"b"},"hmot":{"rank":3},"run":{"deterministic":true,"seed":1,"threads":2}})");
  const auto other = settings(R"({"run":{"seed":2,"deterministic":true},"hmot":{"rank":4}})");
  EXPECT_EQ(job_hash(base), job_hash(same));
  EXPECT_NE(job_hash(base), job_hash(other));
  EXPECT_EQ(job_hash(base).size(), 16u);
  EXPECT_THAT(differing_settings(base, same), ElementsAre());
  EXPECT_THAT(differing_settings(base, other), ElementsAre("hmot.rank: 3 there, 4 here", "run.seed: 1 there, 2 here"));
}

TEST(TextHash, OfAFileIsThatOfItsContent) {
  const std::string path = testing::TempDir() + "thalweg_hash.txt";
  const std::string text(3000000, 'x');
  write_text_file(path, text);
  EXPECT_EQ(file_hash(path), text_hash(text));
  EXPECT_EQ(text_hash(""), "2d06800538d394c2");  // XXH3 of nothing, as published with xxHash
  std::remove(path.c_str());
  EXPECT_THROW(file_hash(path), IoError);
}

}  // namespace
}  // namespace thalweg
