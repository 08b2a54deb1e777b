// Low-rank Gromov-Wasserstein against values of other programs.
#include <gtest/gtest.h>

#include "intra_clouds.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;
using testing_support::IntraSlice;
using testing_support::no_features;

/// Reads one array after another.
class Golden {
 public:
  explicit Golden(const std::string& file) : values_(testing_support::read_golden<double>(file)) {}

  std::span<const double> next(std::int64_t count) {
    const auto values = std::span(values_).subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return values;
  }
  std::vector<float> floats(std::int64_t count) {
    const auto values = next(count);
    return {values.begin(), values.end()};
  }
  IntraSlice slice(std::int64_t rows, std::int64_t dimension) {
    const Cloud places{rows, dimension, floats(rows * dimension)};
    return {no_features(places), places};
  }

 private:
  std::vector<double> values_;
  std::size_t at_ = 0;
};

TEST(GromovChainGolden, HasTheValueOfPotForTheSameCoupling) {
  Golden golden("low_rank_gromov.f64");
  std::vector<IntraSlice> slices;
  slices.push_back(golden.slice(20, 3));
  slices.push_back(golden.slice(17, 2));
  const std::vector<float> q = golden.floats(20 * 4), r = golden.floats(17 * 3);
  const Alone alone;
  HmOtProblem problem = testing_support::intra_problem(*alone.comm, slices, 1.0, {4, 3});
  problem.slices[0].memberships = q;
  problem.slices[1].memberships = r;
  Matrix coupling(4, 3);
  const auto values = golden.next(12);
  coupling.values.assign(values.begin(), values.end());
  problem.transitions[0].coupling = coupling;
  const HmOtSolution solution = solve_hm_ot(alone.context(), problem, {});
  const double value = golden.next(1)[0];
  EXPECT_NEAR(transition_parts(solution.chain, solution.state, 0).gromov, value, 1e-10 * value);
  EXPECT_NEAR(solution.state.objective, value, 1e-10 * value);
}

TEST(GromovChainGolden, IsNotAboveThatOfOtt) {
  Golden golden("low_rank_gromov_ott.f64");
  std::vector<IntraSlice> slices;
  slices.push_back(golden.slice(400, 3));
  slices.push_back(golden.slice(300, 2));
  const double of_ott = golden.next(1)[0], of_feasible = golden.next(1)[0];
  const Alone alone;
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    HmOtProblem problem = testing_support::intra_problem(*alone.comm, slices, 1.0, {10});
    problem.transitions[0].is_diagonal = true;  // as theirs
    const HmOtSolution solution = solve_hm_ot(alone.context(Precision::float32, seed), problem, {});
    EXPECT_LE(solution.state.objective, of_ott);
    EXPECT_LE(solution.state.objective, of_feasible);
    EXPECT_LE(solution.column_error, 1e-6);
    RecordProperty("objective", std::to_string(solution.state.objective));
  }
}

}  // namespace
}  // namespace thalweg
