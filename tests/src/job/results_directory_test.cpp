#include "job/results_directory.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/parse_toml.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/read_job.hpp"
#include "job/run_record.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;

class ResultsDirectoryTest : public testing::Test {
 protected:
  ResultsDirectoryTest() {
    std::string name = testing::TempDir() + "thalweg_results_" + std::to_string(getpid());
    comm_->broadcast(name);
    folder_ = name;
  }
  ~ResultsDirectoryTest() override {
    comm_->barrier();
    if (comm_->is_root()) fs::remove_all(folder_);
  }

  JobContext context(const std::string& more = "", bool overwrite = false) const {
    JobContext context;
    context.command = "hmot";
    const std::string text = "input = {file = \"x.h5ad\", time_key = \"day\"}\n" + more;
    config::Value root = config::parse_toml(text, "job.toml", "");
    for (const std::string& setting :
         {"output.dir=" + folder_, std::string("output.overwrite=") + (overwrite ? "true" : "false")})
      config::merge(*root.as<config::Table>(), *config::parse_setting(setting).as<config::Table>());
    read_job(root, {"input", "hmot", "solver", "run", "output"}, context);
    return context;
  }

  ResultsDirectory open(const JobContext& job) const { return {*comm_, job.job.output, job.resolved}; }

  void finish(const JobContext& job, const ResultsDirectory& results) const {
    RunRecord record(*comm_, job, results);
    record.write(*comm_, 0);
  }
  std::string text_of(const std::string& name) const {
    comm_->barrier();
    return read_text_file(folder_ + "/" + name);
  }
  void put(const std::string& name) const {
    comm_->on_root([&] { write_text_file(folder_ + "/" + name, "x"); });
  }
  bool has(const std::string& name) const {
    comm_->barrier();
    return fs::exists(folder_ + "/" + name);
  }

  std::unique_ptr<Communicator> comm_ = make_world_communicator();
  std::string folder_;
};

TEST_F(ResultsDirectoryTest, IsMadeWithTheSettingsInIt) {
  const JobContext job = context("hmot.rank = 4\n");
  const ResultsDirectory results = open(job);
  EXPECT_THAT(text_of("job.toml"), testing::HasSubstr("rank = 4\n"));
  EXPECT_THAT(text_of("job.toml"), testing::StartsWith("command = \"hmot\"\n"));
  EXPECT_EQ(results.file("tables/t.tsv"), folder_ + "/tables/t.tsv");
}

TEST_F(ResultsDirectoryTest, IsReusedByTheSameJob) {
  finish(context(), open(context()));
  put("index.tsv");
  open(context("run.threads = 2\n"));
  EXPECT_TRUE(has("index.tsv"));
}

TEST_F(ResultsDirectoryTest, OfAnotherJobIsRefusedOnAllRanks) {
  finish(context(), open(context()));
  try {
    open(context("hmot.rank = 4\n"));
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("holds the result of another job (hmot.rank: 10 there, 4 here)"));
  }
}

TEST_F(ResultsDirectoryTest, OfAnotherJobIsClearedWithOverwrite) {
  configure_log(false, Verbosity::quiet);
  finish(context(), open(context()));
  put("index.tsv");
  put("my_notes.txt");
  open(context("hmot.rank = 4\n", /*overwrite=*/true));
  EXPECT_FALSE(has("run.json"));
  EXPECT_FALSE(has("index.tsv"));
  EXPECT_TRUE(has("my_notes.txt"));
  configure_log(comm_->is_root(), Verbosity::normal);
}

TEST_F(ResultsDirectoryTest, WithAnUnreadableRecordIsRefused) {
  open(context());
  put("run.json");
  EXPECT_THROW(open(context()), ConfigError);
}

TEST_F(ResultsDirectoryTest, LosesTemporariesOfEarlierRuns) {
  const ResultsDirectory results = open(context());
  comm_->on_root([&] { results.make_folder("tables"); });
  put("result.h5ad.tmp");
  put("tables/t.tsv.tmp");
  open(context());
  EXPECT_FALSE(has("result.h5ad.tmp"));
  EXPECT_FALSE(has("tables/t.tsv.tmp"));
}

TEST_F(ResultsDirectoryTest, ThatCannotBeMadeIsAnIoErrorOnAllRanks) {
  comm_->on_root([&] { write_text_file(folder_, "a file in its place"); });
  EXPECT_THROW(open(context()), IoError);
}

TEST_F(ResultsDirectoryTest, RunRecordHoldsTheProvenance) {
  const JobContext job = context("run.seed = 7\n");
  const ResultsDirectory results = open(job);
  put("index.tsv");
  RunRecord record(*comm_, job, results);
  record.start_phase("read");
  record.start_phase("solve");
  record.start_phase("read");
  record.add_input({.path = folder_ + "/index.tsv", .keys = {{"obsm/X_pca", {300, 50}, "float32", "abc"}}});
  record.add_dropped("no time", 3);
  record.add_stop_reason("0.0_1.0", StopReason::converged);
  record.add_stop_reason("1.0_2.0", StopReason::stagnated);
  record.add_file("index.tsv");
  EXPECT_EQ(record.exit_code(false), 4);
  EXPECT_EQ(record.exit_code(true), 0);
  record.write(*comm_, 4);
  const auto json = nlohmann::json::parse(text_of("run.json"));
  EXPECT_EQ(json["command"], "hmot");
  EXPECT_EQ(json["resolved"]["run"]["seed"], 7);
  EXPECT_EQ(json["ranks"], comm_->size());
  EXPECT_EQ(json["hosts"].size(), static_cast<std::size_t>(comm_->size()));
  EXPECT_EQ(json["input"][0]["bytes"], 1);
  EXPECT_EQ(json["input"][0]["keys"]["obsm/X_pca"]["shape"][0], 300);
  EXPECT_EQ(json["dropped"]["no time"], 3);
  EXPECT_EQ(json["stop_reasons"]["1.0_2.0"], "stagnated");
  EXPECT_EQ(json["exit_code"], 4);
  EXPECT_EQ(json["checksums"]["index.tsv"].get<std::string>().size(), 16u);
  EXPECT_TRUE(json["seconds"].contains("solve"));
  EXPECT_GT(json["peak_bytes"]["host"].get<std::int64_t>(), 1000000);
  EXPECT_EQ(text_of("versions.yml"), "thalweg: \"" + json["version"].get<std::string>() + "\"\n");
}

}  // namespace
}  // namespace thalweg
