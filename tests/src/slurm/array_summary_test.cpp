#include "job/slurm/array_summary.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "io/text_file.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

/// Ranks 10 and 2, done, and 4, which is not.
struct ArraySummary : testing::Test {
  std::string results = testing::TempDir() + "summary_" + std::to_string(getpid());
  std::vector<ItemOutcome> outcomes = {outcome("rank_10", "hmot.rank=10", "done", 3.0), outcome("rank_4", "hmot.rank=4", "failed", {}), outcome("rank_2", "hmot.rank=2", "done", 6.0)};

  static ItemOutcome outcome(const std::string& name, const std::string& setting, const std::string& state, std::optional<double> cost) {
    ItemOutcome item;
    item.item = {name, setting};
    item.state = state;
    item.cost = cost;
    return item;
  }
  ~ArraySummary() override { std::filesystem::remove_all(results); }

  void put_nodes(std::size_t item, const std::string& rows) const {
    const std::string folder = item_folder(results, outcomes[item].item) + "/tables";
    make_directories(folder);
    write_text_file(folder + "/nodes.tsv", "time\ttype\tmass\n" + rows);
  }
};

TEST_F(ArraySummary, KnowsAnArrayByWhatItsItemsChange) {
  EXPECT_EQ(kind_of_array(outcomes), ArrayKind::ranks);
  EXPECT_EQ(kind_of_array({outcome("seed_1", "run.seed=1", "done", 1.0)}), ArrayKind::seeds);
  EXPECT_EQ(kind_of_array({outcome("a_b", "input.days=[\"a\", \"b\"]", "done", 1.0)}), ArrayKind::pairs);
  EXPECT_EQ(kind_of_array({}), ArrayKind::pairs);
}

TEST_F(ArraySummary, ComparesRanksInTheirOrder) {
  put_nodes(2, "0\ta\t0.5\n0\tb\t0.5\n1\ta\t1.0\n1\tb\t0.0\n");
  const std::string text = rank_table(results, outcomes).to_tsv();
  // Two types of half the mass count as two, one of all the mass as one.
  EXPECT_THAT(text, HasSubstr("2\tdone\t6\t\t0\t1.5\t\n4\tfailed\t\t\t\t\t\n10\tdone\t3\t0.5\t\t\t\n"));
  EXPECT_THAT(rank_plot(results, outcomes).svg, HasSubstr("Cost by the number of types"));
}

TEST_F(ArraySummary, ComparesSeedsWithTheLowestCost) {
  outcomes = {outcome("seed_1", "run.seed=1", "done", 2.5), outcome("seed_2", "run.seed=2", "done", 2.0), outcome("seed_3", "run.seed=3", "running", {})};
  EXPECT_EQ(seed_table(results, outcomes).to_tsv(), "seed\tstate\tcost\texcess\tagreement\tseconds\n1\tdone\t2.5\t0.25\t\t\n2\tdone\t2\t0\t\t\n3\trunning\t\t\t\t\n");
}

}  // namespace
}  // namespace thalweg
