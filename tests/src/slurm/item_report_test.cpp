#include "job/slurm/item_report.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "distributed/error.hpp"
#include "io/text_file.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

/// A results folder with three items.
struct ItemReport : testing::Test {
  std::string results = testing::TempDir() + "items_" + std::to_string(getpid());
  const std::vector<ArrayItem> items = {{"rank_4", "hmot.rank=4"}, {"rank_8", "hmot.rank=8"}, {"rank_9", "hmot.rank=9"}};

  ItemReport() {
    make_directories(results);
    write_text_file(results + "/items.tsv", items_tsv(items));
  }
  ~ItemReport() override { std::filesystem::remove_all(results); }

  void put(std::size_t item, const std::string& name, const std::string& text) const {
    make_directories(item_folder(results, items[item]));
    write_text_file(item_folder(results, items[item]) + "/" + name, text);
  }
  void put_starts(std::size_t item, const std::string& events) const { put(item, "starts.tsv", "job_id\tevent\tvalue\n" + events); }
  void put_record(std::size_t item, int code) const {
    put(item, "run.json", R"({"exit_code": )" + std::to_string(code) + R"(, "stop_reasons": {"hmot": "converged"}, "seconds": {"total": 2.5}})");
  }
  std::string state(std::size_t item) const { return item_outcomes(results)[item].state; }
};

TEST_F(ItemReport, TellsWhatIsThereAndWhatIsMissing) {
  put_record(0, 0);
  put(0, "index.tsv", "pair\tcost\na\t1.5\n");
  put_starts(0, "7\tstart\tx\n7\tend\t5\n7\tstart\ty\n7\tend\t0\n");
  const std::vector<ItemOutcome> outcomes = item_outcomes(results);
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0].state, "done");
  EXPECT_EQ(outcomes[0].cost, 1.5);
  EXPECT_EQ(outcomes[0].seconds, 2.5);
  EXPECT_EQ(outcomes[0].starts, 2);
  EXPECT_EQ(outcomes[0].stop_reason, "converged");
  EXPECT_EQ(outcomes[1].state, "missing");
  EXPECT_FALSE(outcomes[1].cost.has_value() || outcomes[1].exit_code.has_value());
}

TEST_F(ItemReport, HasAWordForEveryEnd) {
  for (const auto& [code, word] : {std::pair{0, "done"}, {4, "unconverged"}, {5, "interrupted"}, {2, "failed"}, {137, "killed"}}) {
    put_starts(1, "7\tstart\tx\n7\tend\t" + std::to_string(code) + "\n");
    EXPECT_EQ(state(1), word);
  }
  put_starts(1, "7\tstart\tx\n");
  EXPECT_EQ(state(1), "running");
}

/// A result stays one when a later start of the script failed, or another one has just begun.
TEST_F(ItemReport, AFinishedResultIsDoneWhateverCameLater) {
  put_record(2, 0);
  put_starts(2, "7\tstart\tx\n7\tend\t0\n8\tstart\tx\n8\tend\t137\n");
  EXPECT_EQ(state(2), "done");
  put_starts(2, "7\tstart\tx\n7\tend\t0\n8\tstart\tx\n");
  EXPECT_EQ(state(2), "done");
}

TEST_F(ItemReport, CountsStatesAndListsItems) {
  put_record(0, 0);
  const std::string text = items_text(item_outcomes(results));
  EXPECT_THAT(text, testing::AllOf(HasSubstr("rank_4"), HasSubstr("3 items: 1 done, 2 missing\n")));
  const Table table = items_table(item_outcomes(results));
  EXPECT_THAT(table.to_tsv(), HasSubstr("1\trank_8\thmot.rank=8\tmissing\t"));
}

TEST_F(ItemReport, OfAFolderThatIsNoArraysIsOfTheFolder) {
  put_record(0, 4);
  const std::vector<ItemOutcome> outcomes = item_outcomes(item_folder(results, items[0]));
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].item.name, "rank_4");
  EXPECT_EQ(outcomes[0].state, "unconverged");
  EXPECT_THROW(item_outcomes(results + "/nowhere"), DataError);
}

TEST_F(ItemReport, ABrokenRecordIsNone) {
  put(0, "run.json", "{\"exit_code\": ");
  EXPECT_EQ(state(0), "missing");
}

}  // namespace
}  // namespace thalweg
