// A solve on any number of ranks gives the bytes of a solve on one.
#include <gtest/gtest.h>

#include "intra_clouds.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::Cloud;

struct Case {
  std::string name;
  std::vector<Cloud> clouds;
  std::vector<std::int64_t> num_types;
  bool is_diagonal = false;
  bool is_labelled = false;
  Precision precision = Precision::float32;
  std::int64_t subsample = 8192;
  std::vector<std::int32_t> labels = {};
  std::vector<float> memberships = {};  // of slice 1
  std::vector<testing_support::IntraSlice> with_places = {};  // `clouds` and places within each of them

  HmOtProblem problem(const Communicator& comm) const {
    HmOtProblem result = with_places.empty() ? testing_support::chain_problem(comm, clouds, num_types)
                                               : testing_support::intra_problem(comm, with_places, 0.4, num_types);
    for (HmOtTransition& transition : result.transitions) transition.is_diagonal = is_diagonal;
    if (is_labelled) result.slices[0].labels = clouds[0].owned(comm, std::span<const std::int32_t>(labels));
    if (!memberships.empty()) {
      const RowRange rows = clouds[1].range(comm);
      const auto r = static_cast<std::size_t>(num_types[1]);
      result.slices[1].memberships = std::span(memberships).subspan(static_cast<std::size_t>(rows.begin) * r, static_cast<std::size_t>(rows.size()) * r);
    }
    return result;
  }
};

std::vector<Case> cases() {
  using testing_support::gaussian_cloud;
  std::vector<Case> result;
  // 40 rows leave all ranks but one without rows of that slice; 700 leave one of four.
  const std::vector<Cloud> uneven{gaussian_cloud(40, 4, 3, 4.0, 0.0, 61), gaussian_cloud(700, 4, 4, 4.0, 0.5, 62), gaussian_cloud(1100, 4, 4, 4.0, 1.0, 63)};
  result.push_back({"uneven slices", uneven, {3, 4, 5}});
  result.push_back({"double", uneven, {3, 4, 5}, false, false, Precision::float64});
  result.push_back({"diagonal on a sample", uneven, {4}, true, false, Precision::float32, 200});
  std::vector<Cloud> weighted = uneven;
  for (Cloud& cloud : weighted) cloud.weights = testing_support::uneven_weights(cloud.num_rows);
  result.push_back({"weighted", weighted, {3, 4, 5}, false, false, Precision::float32, 300});
  Case labelled{"labelled", uneven, {3, 3, 3}, false, true};
  for (std::int32_t i = 0; i < 40; ++i) labelled.labels.push_back(i % 3);
  result.push_back(labelled);
  Case given{"given memberships", weighted, {3, 3, 4}, false, false, Precision::float32, 300};
  for (std::size_t i = 0; i < 3 * 700; ++i) given.memberships.push_back(static_cast<float>(1 + i * i % 11));
  result.push_back(given);
  Case fused{"fused on a sample", weighted, {3, 4, 5}, false, false, Precision::float32, 300};
  Case gromov{"places alone", weighted, {3, 4, 5}, false, false, Precision::float64};
  for (std::size_t t = 0; t < 3; ++t) {
    Cloud places = testing_support::curved_cloud(weighted[t].num_rows, t == 0 ? 3 : 2, static_cast<std::uint32_t>(64 + t));
    places.weights = weighted[t].weights;
    fused.with_places.push_back({weighted[t], places});
    gromov.with_places.push_back({testing_support::no_features(places), places});
  }
  result.push_back(fused);
  result.push_back(gromov);
  labelled.name = "labels and memberships";
  labelled.memberships = given.memberships;
  result.push_back(labelled);
  return result;
}

void expect_same_state(const ChainState& a, const ChainState& b) {
  EXPECT_EQ(a.objective, b.objective);
  EXPECT_EQ(a.regularized, b.regularized);
  EXPECT_EQ(a.couplings, b.couplings);
  ASSERT_EQ(a.slices.size(), b.slices.size());
  for (std::size_t t = 0; t < a.slices.size(); ++t) {
    EXPECT_EQ(a.slices[t].logits, b.slices[t].logits);
    EXPECT_EQ(a.slices[t].duals, b.slices[t].duals);
    EXPECT_EQ(a.slices[t].masses, b.slices[t].masses);
    EXPECT_EQ(a.slices[t].means, b.slices[t].means);
  }
}

TEST(HmOtOnRanks, HasTheBytesOfOneRank) {
  const auto world = make_world_communicator();
  const auto self = make_self_communicator();
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    HmOtSettings settings;
    settings.restarts = 7;  // three rounds
    settings.subsample = c.subsample;
    const HmOtSolution solution = solve_hm_ot({*world, c.precision, test_device(), 5}, c.problem(*world), settings);
    const HmOtSolution alone = solve_hm_ot({*self, c.precision, test_device(), 5}, c.problem(*self), settings);
    expect_same_state(solution.state, alone.state);
    EXPECT_EQ(solution.stop_reason, alone.stop_reason);
    EXPECT_EQ(solution.passes, alone.passes);
    EXPECT_EQ(solution.baseline, alone.baseline);
    EXPECT_EQ(solution.full_rank_reference, alone.full_rank_reference);
    ASSERT_EQ(solution.restarts.size(), alone.restarts.size());
    for (std::size_t k = 0; k < alone.restarts.size(); ++k) {
      EXPECT_EQ(solution.restarts[k].objective, alone.restarts[k].objective);
      EXPECT_EQ(solution.restarts[k].regularized, alone.restarts[k].regularized);
      EXPECT_EQ(solution.restarts[k].is_chosen, alone.restarts[k].is_chosen);
    }

    for (std::size_t t = 0; t < c.clouds.size(); ++t) {
      const auto blocks = [&](const RowRange& rows) { return (rows.size() + block_rows - 1) / block_rows; };
      const std::vector<double> own = slice_memberships(solution, t, 0, blocks(c.clouds[t].range(*world)));
      const std::vector<double> all = world->all_gather(std::span<const double>(own));
      EXPECT_EQ(all, slice_memberships(alone, t, 0, blocks(c.clouds[t].range(*self))));
    }
  }
}

TEST(HmOtOnRanks, ReportsAnInfeasibleMaskOnEveryRank) {
  const auto world = make_world_communicator();
  Case c = cases()[0];
  HmOtProblem problem = c.problem(*world);
  problem.transitions[0].allowed = Matrix(3, 4, 1.0);
  for (std::int64_t l = 0; l < 4; ++l) (*problem.transitions[0].allowed)(1, l) = 0.0;
  EXPECT_THROW(solve_hm_ot({*world, Precision::float32, test_device(), 0}, problem, {}), DataError);
}

}  // namespace
}  // namespace thalweg
