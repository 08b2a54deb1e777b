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

  /// Leaves run.json of a job that wrote these files.
  void finish(const JobContext& job, const ResultsDirectory& results, const std::vector<std::string>& files = {}) const {
    RunRecord record(*comm_, job, results);
    for (const std::string& name : files) {
      put(name);
      record.add_file(name);
    }
    record.write(*comm_, 0);
  }
  std::string text_of(const std::string& name) const {
    comm_->barrier();
    return read_text_file(folder_ + "/" + name);
  }
  void put(const std::string& name) const {
    comm_->on_root([&] {
      fs::create_directories(fs::path(folder_ + "/" + name).parent_path());
      write_text_file(folder_ + "/" + name, "x");
    });
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

TEST_F(ResultsDirectoryTest, OfAnotherJobStaysUntilItIsClaimed) {
  configure_log(false, Verbosity::quiet);
  finish(context(), open(context()), {"index.tsv", "tables/nodes.tsv", "plots/old.svg", "result.h5ad"});
  put("my_notes.txt");
  put("tables/mine.tsv");
  const std::string before = text_of("job.toml");
  ResultsDirectory results = open(context("hmot.rank = 4\n", /*overwrite=*/true));
  for (const char* name : {"run.json", "index.tsv", "tables/nodes.tsv", "plots/old.svg", "result.h5ad"}) EXPECT_TRUE(has(name)) << name;
  EXPECT_EQ(text_of("job.toml"), before);
  comm_->on_root([&] { results.claim({"result.h5ad"}); });
  for (const char* name : {"run.json", "versions.yml", "index.tsv", "tables/nodes.tsv", "plots/old.svg", "plots"}) EXPECT_FALSE(has(name)) << name;
  for (const char* name : {"my_notes.txt", "tables/mine.tsv", "result.h5ad"}) EXPECT_TRUE(has(name)) << name;
  EXPECT_THAT(text_of("job.toml"), testing::HasSubstr("rank = 4\n"));
  put("index.tsv");
  comm_->on_root([&] { results.claim({}); });
  EXPECT_TRUE(has("index.tsv")) << "claimed once";
  configure_log(comm_->is_root(), Verbosity::normal);
}

TEST_F(ResultsDirectoryTest, OfTheSameJobLosesWhatIsNotWrittenAgain) {
  finish(context(), open(context()), {"tables/a.tsv", "tables/b.tsv"});
  ResultsDirectory results = open(context());
  comm_->on_root([&] { results.claim({"tables/a.tsv"}); });
  EXPECT_TRUE(has("tables/a.tsv"));
  EXPECT_FALSE(has("tables/b.tsv"));
}

TEST_F(ResultsDirectoryTest, NeverRemovesFilesOutsideTheFolder) {
  const std::string outside = folder_ + "_outside.txt";
  finish(context(), open(context()), {});
  comm_->on_root([&] {
    write_text_file(outside, "x");
    auto json = nlohmann::json::parse(read_text_file(folder_ + "/run.json"));
    json["checksums"] = {{"../" + fs::path(outside).filename().string(), "0"}, {outside, "0"}, {"tables/../../" + fs::path(outside).filename().string(), "0"}};
    write_text_file(folder_ + "/run.json", json.dump());
  });
  ResultsDirectory results = open(context());
  comm_->on_root([&] { results.claim({}); });
  EXPECT_TRUE(fs::exists(outside));
  comm_->barrier();
  comm_->on_root([&] { fs::remove(outside); });
}

TEST_F(ResultsDirectoryTest, WithAnUnreadableRecordIsClearedWholeWithOverwrite) {
  configure_log(false, Verbosity::quiet);
  open(context());
  put("run.json");
  put("tables/nodes.tsv");
  put("my_notes.txt");
  ResultsDirectory results = open(context("", /*overwrite=*/true));
  comm_->on_root([&] { results.claim({}); });
  EXPECT_FALSE(has("tables/nodes.tsv"));
  EXPECT_TRUE(has("my_notes.txt"));
  configure_log(comm_->is_root(), Verbosity::normal);
}

TEST_F(ResultsDirectoryTest, WithAnUnreadableRecordIsRefused) {
  open(context());
  put("run.json");
  EXPECT_THROW(open(context()), ConfigError);
}

TEST_F(ResultsDirectoryTest, LosesTemporariesOfEarlierRuns) {
  open(context());
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
