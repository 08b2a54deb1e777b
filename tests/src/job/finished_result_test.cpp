#include "job/finished_result.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "io/text_file.hpp"

namespace thalweg {
namespace {

using Json = nlohmann::json;

/// A folder with the result of a job of two settings that matter, one that does not, and one file.
struct FinishedResult : testing::Test {
  std::string folder = testing::TempDir() + "finished_" + std::to_string(getpid());
  Json resolved = {{"hmot", {{"rank", 4}}}, {"run", {{"seed", 0}, {"threads", 2}}}, {"output", {{"dir", "here"}, {"plots", true}}}};
  Json inputs = Json::array({{{"path", "cells.h5ad"}, {"keys", {{"obsm/X", "abc"}}}}});
  Json record = {{"version", "1.0"}, {"resolved", resolved}, {"exit_code", 4}, {"inputs_of_states", inputs}, {"checksums", {{"index.tsv", "1"}}}};

  FinishedResult() {
    make_directories(folder);
    write_text_file(folder + "/index.tsv", "pair\n");
  }
  ~FinishedResult() override { std::filesystem::remove_all(folder); }

  std::optional<int> found() {
    write_text_file(folder + "/run.json", record.dump());
    return finished_exit_code(folder, {"1.0", resolved.dump(), inputs.dump()});
  }
};

TEST_F(FinishedResult, IsFoundWithItsExitCode) {
  EXPECT_EQ(found(), 4);
  record["exit_code"] = 0;
  EXPECT_EQ(found(), 0);
}

TEST_F(FinishedResult, MayLieElsewhereAndHaveHadOtherThreads) {
  record["resolved"]["output"]["dir"] = "there";
  record["resolved"]["run"]["threads"] = 8;
  EXPECT_EQ(found(), 4);
}

TEST_F(FinishedResult, OfAnotherJobIsNone) {
  for (const char* setting : {"/resolved/hmot/rank", "/resolved/run/seed", "/resolved/output/plots"}) {
    const Json before = record;
    record[Json::json_pointer(setting)] = 17;
    EXPECT_EQ(found(), std::nullopt) << setting;
    record = before;
  }
  record["inputs_of_states"][0]["keys"]["obsm/X"] = "abd";
  EXPECT_EQ(found(), std::nullopt) << "input";
  record["inputs_of_states"] = inputs;
  record["version"] = "1.1";
  EXPECT_EQ(found(), std::nullopt) << "version";
}

TEST_F(FinishedResult, OfARunThatDidNotEndByItselfIsNone) {
  for (const int code : {1, 2, 3, 5, 137}) {
    record["exit_code"] = code;
    EXPECT_EQ(found(), std::nullopt) << code;
  }
}

TEST_F(FinishedResult, ThatIsNotWholeIsNone) {
  std::filesystem::remove(folder + "/index.tsv");
  EXPECT_EQ(found(), std::nullopt);
  write_text_file(folder + "/index.tsv", "pair\n");
  for (const char* key : {"version", "resolved", "exit_code", "inputs_of_states", "checksums"}) {
    const Json before = record;
    record.erase(key);
    EXPECT_EQ(found(), std::nullopt) << key;
    record = before;
  }
  write_text_file(folder + "/run.json", "{\"version\": ");
  EXPECT_EQ(finished_exit_code(folder, {"1.0", resolved.dump(), inputs.dump()}), std::nullopt);
  std::filesystem::remove(folder + "/run.json");
  EXPECT_EQ(finished_exit_code(folder, {"1.0", resolved.dump(), inputs.dump()}), std::nullopt);
}

}  // namespace
}  // namespace thalweg
