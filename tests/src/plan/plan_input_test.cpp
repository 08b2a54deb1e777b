#include "job/plan_input.hpp"

#include <gmock/gmock.h>

#include "distributed/error.hpp"
#include "job/plan_report.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ReadPlanInput : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  JobContext context;

  void SetUp() override {
    context.command = "hmot";
    context.job.input.file = {test_data() + "/h5ad/size_1003.h5ad"};
    context.job.input.time_key = "day";
  }
  PlanInput read() const { return read_plan_input(*comm, context); }
};

TEST_F(ReadPlanInput, CountsCellsOfTheTimesAndColumnsOfTheFeatures) {
  const PlanInput input = read();
  EXPECT_THAT(input.cells_per_slice, ElementsAre(251, 251, 250, 251));
  EXPECT_EQ(input.num_features, 5);
  EXPECT_EQ(input.num_obs, 1003);
  EXPECT_EQ(input.stored_entries, 0);
  EXPECT_THAT(input.types, ElementsAre(10));
  EXPECT_FALSE(input.is_double);
}

TEST_F(ReadPlanInput, FollowsDaysFilterPrecisionAndRank) {
  context.job.input.days = {"10", "7"};
  context.job.input.filter = {{"type", {"blood"}}};
  context.job.solver.precision = "float64";
  context.job.hmot.rank = {3, 4};
  const PlanInput input = read();
  ASSERT_EQ(input.cells_per_slice.size(), 2u);
  EXPECT_LT(input.cells_per_slice[0], 120);
  EXPECT_TRUE(input.is_double);
  EXPECT_THAT(input.types, ElementsAre(3, 4));
}

TEST_F(ReadPlanInput, KnowsTheEntriesOfSparseFeatures) {
  context.job.input.joint = "X";
  const PlanInput input = read();
  EXPECT_EQ(input.num_features, 3);
  EXPECT_GT(input.stored_entries, 1003 / 3);
  EXPECT_LT(input.stored_entries, 3 * 1003);
}

TEST_F(ReadPlanInput, CountsGivenMembershipsAsTheTypesOfTheirSlice) {
  context.job.hmot.fix_q = {{"7", "obsm/X_pca"}};
  context.job.hmot.rank = {3};
  const PlanInput input = read();
  EXPECT_THAT(input.types, testing::UnorderedElementsAre(3, 3, 3, 5));
  EXPECT_GE(input.given_shares, 250 * 5);
  EXPECT_LE(input.given_shares, 251 * 5);
  PlanInput free = input;
  free.given_shares = 0;
  EXPECT_EQ(plan_memory(input, 1).peak().host - plan_memory(free, 1).peak().host, 4 * input.given_shares);
}

TEST_F(ReadPlanInput, TakesTheTypesOfASupervisedRunFromTheLabels) {
  context.job.hmot.mode = "supervised";
  context.job.input.annotation = "type";
  EXPECT_THAT(read().types, ElementsAre(3));
}

TEST_F(ReadPlanInput, CountsCoordinatesOfSlices) {
  const std::int64_t features = read().num_features;
  context.job.input.spatial = "X";
  context.job.hmot.alpha = 0.5;
  EXPECT_EQ(read().num_features, features + 3 + 1);
  context.job.hmot.alpha = 1.0;
  EXPECT_EQ(read().num_features, 3 + 1);
}

TEST_F(ReadPlanInput, NeedsTwoSidesForLowRankTransport) {
  context.command = "lowrank";
  EXPECT_THROW(read(), DataError);
  context.job.input.days = {"10", "9.25"};
  EXPECT_THAT(read().cells_per_slice, ElementsAre(251, 250));
  context.job.input.days = {};
  context.job.source.filter = {{"type", {"blood"}}};
  EXPECT_EQ(read().cells_per_slice.size(), 2u);
  EXPECT_EQ(read().cells_per_slice[1], 1003);
}

TEST_F(ReadPlanInput, KnowsWhatTransportCarriesBetweenItsSides) {
  context.command = "transport";
  EXPECT_THROW(read(), DataError);
  context.job.input.days = {"10", "9.25"};
  context.job.input.annotation = "type";
  context.job.transport.project = {"X", "obsm/X_pca"};
  const PlanInput input = read();
  EXPECT_THAT(input.cells_per_slice, ElementsAre(251, 250));
  EXPECT_EQ(input.num_features, 5);
  EXPECT_EQ(input.label_columns, 3);
  EXPECT_EQ(input.projected_columns, 3 + 5);
  EXPECT_EQ(input.widest_projection, 5);
  EXPECT_EQ(input.acceleration_history, 8);
  EXPECT_FALSE(input.exports_rows);
  context.job.transport.project = {"obsm/X_none"};
  EXPECT_THROW(read(), DataError);
}

TEST_F(ReadPlanInput, CountsEachColumnOfTheResultOnce) {
  const std::int64_t fates = 10;
  EXPECT_EQ(read().num_clusterings, 3);
  EXPECT_EQ(read().membership_columns, fates);
  context.job.hmot.clusterings = {"ancestral"};
  context.job.hmot.write_q = true;
  context.job.hmot.rank = {3, 4, 12, 5};
  EXPECT_EQ(read().num_clusterings, 2);
  EXPECT_EQ(read().membership_columns, 12);
}

TEST_F(ReadPlanInput, CountsCoordinatesOnlyForPlots) {
  EXPECT_FALSE(read().embedded) << "the default is absent";
  context.job.input.embedding = "obsm/X_pca";
  EXPECT_TRUE(read().embedded);
  context.job.output.plots = false;
  EXPECT_FALSE(read().embedded);
  context.job.output.plots = true;
  context.job.input.embedding = "obsm/none";
  EXPECT_THROW(read(), DataError);
}

TEST_F(ReadPlanInput, LetsASideSayMoreThanTheInput) {
  context.command = "lowrank";
  context.job.source.key = "X";
  EXPECT_THROW(read(), DataError) << "3 features against 5";
  context.job.lowrank.objective = "gw";
  EXPECT_EQ(read().num_features, 5 + 1) << "coordinates of the wider side and their squares";
  EXPECT_EQ(read().coordinates, 5);
  context.job.lowrank.objective = "fgw";
  context.job.target.key = "layers/counts";
  context.job.input.spatial = "obsm/X_pca";
  EXPECT_EQ(read().num_features, 3 + 5 + 1);
  context.job.input.spatial = "obsm/none";
  EXPECT_THROW(read(), DataError);
  context.job.lowrank.objective = "w";
  EXPECT_EQ(read().num_features, 3);
}

TEST_F(ReadPlanInput, RefusesWhatTheJobCouldNotRead) {
  context.job.input.joint = "obsm/none";
  EXPECT_THROW(read(), DataError);
  context.job.input.joint = "obsm/X_pca";
  context.job.input.file.push_back(context.job.input.file[0]);
  EXPECT_THROW(read(), DataError);
  context.job.input.file = {"/nowhere.h5ad"};
  EXPECT_THROW(read(), DataError);
  context.command = "describe";
  EXPECT_THROW(read(), ConfigError);
}

TEST_F(ReadPlanInput, IsCheckedAgainstTheBudgetOnAllRanks) {
  RunOptions run;
  EXPECT_NO_THROW(check_memory(*comm, read(), run));
  run.memory_gib = 0.01;
  try {
    check_memory(*comm, read(), run);
    FAIL() << "must not fit";
  } catch (const MemoryError& error) {
    EXPECT_EQ(error.exit_code(), 3);
    EXPECT_THAT(error.what(), HasSubstr("no number of ranks"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));  // the table is in the log
    EXPECT_THAT(error.what(), HasSubstr("run.memory_gib"));
  }
}

TEST(Shortage, NamesRanksAndPrecisionOrFeaturesAsCures) {
  PlanInput input;
  input.cells_per_slice = {10000000};
  input.num_features = 50;
  input.types = {10};
  input.is_double = true;
  input.num_clusterings = 0;
  const WideInt single = [&] {
    PlanInput other = input;
    other.is_double = false;
    return plan_memory(other, 1).peak().host;
  }();
  EXPECT_THAT(shortage_text(input, 1, {{.host = single, .device = 0}, "test"}),
              HasSubstr("solver.precision = \"float32\""));
  input.is_double = false;
  EXPECT_EQ(shortage_text(input, 1, {{.host = single, .device = 0}, "test"}), "");
  const std::string text = shortage_text(input, 1, {{.host = single - 1, .device = 0}, "test"});
  EXPECT_THAT(text, HasSubstr("run on 2 ranks"));
  EXPECT_THAT(text, HasSubstr("at most 49 features"));
}

}  // namespace
}  // namespace thalweg
