#include "job/cost_model.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <cmath>

#include "distributed/error.hpp"
#include "distributed/partition.hpp"
#include "job/plan_time.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

MachineOptions modelled_cluster() { return read_machine(*make_self_communicator(), test_data() + "/modelled_cluster.toml"); }

/// n = m points of 32 features on a GPU, both potentials in float32.
EvaluationShape clouds(double n) {
  const auto points = static_cast<std::int64_t>(n);
  return {.n = points, .m = points, .d = 32, .form = TransportForm::two_pass, .column_bytes = 4};
}

/// To two digits.
void expect_near(double found, double wanted, const std::string& what) { EXPECT_NEAR(found / wanted, 1.0, 0.05) << what << " " << found; }

TEST(CostModel, GivesTheTableOfTheModelledCluster) {
  struct Row {
    double n;
    std::int64_t ranks;
    double compute_s, communication_s, efficiency;
  };
  const MachineOptions machine = modelled_cluster();
  for (const Row& row : {Row{1e6, 8, 0.125, 9e-5, 0.999}, Row{1e6, 64, 0.0156, 3.2e-4, 0.98}, Row{1e6, 256, 0.0039, 3.7e-4, 0.91}, Row{1e6, 1024, 0.00098, 4.2e-4, 0.70},
                         Row{1e7, 8, 12.5, 2.5e-4, 1.0}, Row{1e7, 64, 1.56, 1.9e-3, 0.999}, Row{1e7, 1024, 0.098, 2.0e-3, 0.98}, Row{1e8, 64, 156.0, 0.018, 1.0},
                         Row{1e8, 1024, 9.8, 0.018, 0.998}}) {
    const std::string what = std::to_string(row.n) + " on " + std::to_string(row.ranks);
    const IterationTime one = evaluation_time(clouds(row.n), machine, 1), time = evaluation_time(clouds(row.n), machine, row.ranks);
    expect_near(time.compute_s, row.compute_s, what);
    expect_near(time.communication_s, row.communication_s, what);
    EXPECT_NEAR(parallel_efficiency(one, time, row.ranks), row.efficiency, 0.006) << what;
  }
}

TEST(CostModel, OneRankSendsNothing) {
  MachineOptions machine;
  for (const TransportForm form : {TransportForm::strip, TransportForm::two_pass, TransportForm::ring}) {
    EvaluationShape shape = clouds(1e4);
    shape.form = form;
    const IterationTime time = evaluation_time(shape, machine, 1);
    EXPECT_EQ(time.communication_s, 0.0);
    EXPECT_EQ(time.bytes, 0.0);
    EXPECT_GT(time.compute_s, 0.0);
  }
}

TEST(CostModel, ARingIsHiddenOnceARankHasRowsEnough) {
  MachineOptions machine = modelled_cluster();
  EvaluationShape ring = clouds(1e6), both = ring;
  ring.form = TransportForm::ring;
  EXPECT_EQ(evaluation_time(ring, machine, 64).communication_s, evaluation_time(both, machine, 64).communication_s);
  EXPECT_GT(evaluation_time(ring, machine, 1024).communication_s, 2.0 * evaluation_time(both, machine, 1024).communication_s);
  const double coordinates = 2e6 * 32 * 4 * 63 / 64;
  EXPECT_NEAR(evaluation_time(ring, machine, 64).bytes - evaluation_time(both, machine, 64).bytes, coordinates, 1.0);
}

TEST(CostModel, StripsGiveWayToTwoPassesWhereTheCacheEnds) {
  MachineOptions machine;
  machine.cache_bytes = std::int64_t{72} * 200'000;
  PlanInput input;
  input.command = "transport";
  input.num_features = 30;
  const auto pair_seconds = [&](std::int64_t m) {
    input.cells_per_slice = {100'000, m};
    return iteration_time(input, machine, 1).compute_s / 1e5 / static_cast<double>(m);
  };
  const double strip = machine.strip_s + 30 * machine.strip_feature_s, two_pass = 2 * (machine.pass_s + 30 * machine.pass_feature_s);
  EXPECT_NEAR(pair_seconds(200'000), strip, 1e-6 * strip);
  EXPECT_NEAR(pair_seconds(200'001), two_pass, 1e-6 * two_pass);
  input.form = "strip";
  EXPECT_NEAR(pair_seconds(200'001), strip, 1e-6 * strip);
  input.form = "two_pass";
  EXPECT_NEAR(pair_seconds(200'000), two_pass, 1e-6 * two_pass);
}

TEST(CostModel, APassIsItsFlopsAndItsSums) {
  MachineOptions machine = modelled_cluster();
  machine.lowrank_flops = 1e12;
  PlanInput input;
  input.command = "hmot";
  input.cells_per_slice = {1'000'000, 500'000};
  input.num_features = 50;
  input.types = {20};
  const IterationTime time = iteration_time(input, machine, 64);
  EXPECT_NEAR(time.compute_s, 4.0 * 1.5e6 * 20 * 52 / 64 / 1e12, 1e-12);
  EXPECT_NEAR(time.bytes, 2 * 2 * 8 * (52 * 20 + 400) * 63.0 / 64, 1e-6);
  EXPECT_NEAR(time.communication_s, time.bytes / 45e9 + 2 * 2 * 12e-6 * 6, 1e-12);
  input.is_double = true;
  EXPECT_NEAR(iteration_time(input, machine, 64).compute_s, machine.float64_factor * time.compute_s, 1e-12);
}

TEST(CostModel, RowsBelowAWaveCountAsOne) {
  MachineOptions machine = modelled_cluster();
  machine.wave_rows = 68'000;
  const double full = evaluation_time(clouds(1e6), machine, 14).compute_s;
  EXPECT_NEAR(evaluation_time(clouds(1e6), machine, 140).compute_s / full, 68'000.0 / (2 * 68'000.0), 1e-3);
}

TEST(CostModel, StragglersCostTheMoreTheMoreTheyAre) {
  const IterationTime one{.compute_s = 1.0}, many{.compute_s = 1.0 / 64};
  const EfficiencyBand none = straggler_band(one, many, 64, 0.0);
  EXPECT_EQ(none.low, 1.0);
  EXPECT_EQ(none.high, 1.0);
  const EfficiencyBand few = straggler_band(one, many, 64, 0.02);
  EXPECT_LT(few.low, few.median);
  EXPECT_LT(few.median, few.high);
  // The median of the largest of 64 normal numbers is 2.29: Phi(2.29)^64 = 1/2.
  EXPECT_NEAR(few.median, std::exp(-0.02 * 2.29), 0.003);
  const auto begin = std::chrono::steady_clock::now();
  const IterationTime share{.compute_s = 1.0 / 4096};
  EXPECT_LT(straggler_band(one, share, 4096, 0.02).median, few.median);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 20.0);
}

TEST(CostModel, TellsAJobToStopInTimeForAnIterationAndAState) {
  EXPECT_EQ(lead_seconds(0.0, 0.0), 120);
  EXPECT_EQ(lead_seconds(10.0, 20.0), 120);
  EXPECT_EQ(lead_seconds(50.0, 1.0), 180);
  EXPECT_EQ(lead_seconds(0.0, 100.0), 360);
  EXPECT_EQ(lead_seconds(1e9, 0.0), 65535);
}

TEST(CostModel, HoldsAtTheLargestSizes) {
  PlanInput input;
  input.command = "transport";
  input.cells_per_slice = {100'000'000, 100'000'000};
  input.num_features = 32;
  const IterationTime time = iteration_time(input, modelled_cluster(), 4096);
  EXPECT_GT(time.total(), 0.0);
  EXPECT_LT(time.total(), 1e4);
  EXPECT_NEAR(static_cast<double>(saved_bytes(input)), 8e8 * (1.0 + 2.0 + 1.0), 8e8 * 20);
  const Partition rows(100'000'000, 4096, 64);
  std::int64_t next = 0;
  for (int rank = 0; rank < 4096; ++rank) {
    EXPECT_EQ(rows.rows_of(rank).begin, next);
    next = rows.rows_of(rank).end;
  }
  EXPECT_EQ(next, 100'000'000);
}

TEST(CostModel, RefusesWhatItDoesNotKnow) {
  PlanInput input;
  input.command = "gromov";
  EXPECT_THROW(iteration_time(input, {}, 8), ConfigError);
}

TEST(TimeText, NamesTheMachineAndWhatIsAssumed) {
  MachineOptions machine = modelled_cluster();
  machine.assumed = {"bandwidth_out"};
  PlanInput input;
  input.command = "transport";
  input.cells_per_slice = {1'000'000, 1'000'000};
  input.num_features = 32;
  input.on_device = true;
  const std::string text = time_text(input, machine, {8, 64});
  EXPECT_THAT(text, testing::AllOf(HasSubstr("predicted, not measured: time on modelled cluster"), HasSubstr("assumed, not measured: bandwidth_out"),
                                   HasSubstr("\n       8      1"), HasSubstr("\n      64      8")));
}

}  // namespace
}  // namespace thalweg
