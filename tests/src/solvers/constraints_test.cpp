// Constraints that cannot hold together are refused before the solve, by the names of their types.
#include "solvers/hm_ot/constraints.hpp"

#include <gtest/gtest.h>

#include "clouds.hpp"
#include "solvers/hm_ot/prepare.hpp"

namespace thalweg {
namespace {

using testing_support::Alone;
using testing_support::Cloud;

struct Fixture {
  Alone alone;
  std::vector<Cloud> clouds;
  HmOtProblem problem;

  explicit Fixture(std::vector<std::int64_t> num_types) {
    for (std::uint32_t t = 0; t < num_types.size(); ++t) clouds.push_back(testing_support::gaussian_cloud(60, 2, 3, 4.0, 0.3 * t, 181 + t));
    problem = testing_support::chain_problem(*alone.comm, clouds, num_types);
    for (std::size_t t = 0; t < num_types.size(); ++t)
      for (std::int64_t k = 0; k < num_types[t]; ++k) problem.slices[t].type_names.push_back("abc"[k] + std::to_string(t));
  }
  /// The refusal of the chain, "" when it is accepted.
  std::string refusal() const {
    try {
      prepare_chain(alone.context(), problem, {});
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  void expect_refusal(const std::string& text) const { EXPECT_NE(refusal().find(text), std::string::npos) << refusal(); }
};

Matrix matrix(std::int64_t rows, std::int64_t columns, std::vector<double> values) {
  Matrix result(rows, columns);
  result.values = std::move(values);
  return result;
}

TEST(Constraints, AMaskBetweenGivenMassesNamesItsViolatedCut) {
  Fixture fixture({2, 2});
  fixture.problem.slices[0].masses = {0.9, 0.1};
  fixture.problem.slices[1].masses = {0.5, 0.5};
  fixture.problem.transitions[0].allowed = matrix(2, 2, {1, 0, 1, 1});
  fixture.expect_refusal("mask of 0:1 is infeasible: types {a0} hold 0.9 of the mass, their allowed targets {a1} take 0.5");
  fixture.problem.slices[0].masses = {0.5, 0.5};
  EXPECT_EQ(fixture.refusal(), "");
}

TEST(Constraints, MassesOfGivenCouplingsBoundTheNextMask) {
  Fixture fixture({2, 2, 2});
  fixture.problem.transitions[0].coupling = matrix(2, 2, {0.6, 0.1, 0.2, 0.1});  // 0.8 and 0.2 at slice 1
  fixture.problem.slices[2].masses = {0.5, 0.5};
  fixture.problem.transitions[1].allowed = matrix(2, 2, {1, 0, 1, 1});
  fixture.expect_refusal("mask of 1:2 is infeasible: types {a1} hold 0.8");
}

TEST(Constraints, MasksAreFollowedThroughFreeSlices) {
  Fixture fixture({2, 3, 2});
  fixture.problem.slices[0].masses = {0.7, 0.3};
  fixture.problem.slices[2].masses = {0.4, 0.6};
  fixture.problem.transitions[0].allowed = matrix(2, 3, {1, 1, 0, 0, 0, 1});
  EXPECT_EQ(fixture.refusal(), "");
  fixture.problem.transitions[1].allowed = matrix(3, 2, {1, 0, 1, 0, 0, 1});  // a0 only to a2
  fixture.expect_refusal("mask of 0:2 is infeasible: types {a0} hold 0.7 of the mass, their allowed targets {a2} take 0.4");
  fixture.problem.transitions[1].allowed = matrix(3, 2, {1, 0, 1, 1, 0, 1});
  EXPECT_EQ(fixture.refusal(), "");
}

TEST(Constraints, DiagonalTransitionsCarryMassesThroughFreeSlices) {
  Fixture fixture({2, 2, 2});
  for (HmOtTransition& transition : fixture.problem.transitions) transition.is_diagonal = true;
  fixture.problem.slices[0].masses = {0.7, 0.3};
  EXPECT_EQ(fixture.refusal(), "");
  fixture.problem.slices[2].masses = {0.7 + 1e-7, 0.3 - 1e-7};
  EXPECT_EQ(fixture.refusal(), "");
  fixture.problem.slices[2].masses = {0.6, 0.4};
  fixture.expect_refusal("mask of 0:2 is infeasible: types {a0} hold 0.7");
}

TEST(Constraints, ATypeWithoutAllowedTransitionIsNamed) {
  Fixture fixture({2, 3});
  fixture.problem.transitions[0].allowed = matrix(2, 3, {1, 1, 0, 1, 0, 0});
  fixture.expect_refusal("type c1 of time 1 has no allowed source");
  fixture.problem.transitions[0].allowed = matrix(2, 3, {0, 0, 0, 1, 1, 1});
  fixture.expect_refusal("type a0 of time 0 has no allowed target");
}

TEST(Constraints, AGivenCouplingKeepsToItsMask) {
  Fixture fixture({2, 2});
  fixture.problem.transitions[0].coupling = matrix(2, 2, {0.5, 0.1, 0.0, 0.4});
  fixture.problem.transitions[0].allowed = matrix(2, 2, {1, 1, 0, 1});
  EXPECT_EQ(fixture.refusal(), "");
  fixture.problem.transitions[0].allowed = matrix(2, 2, {1, 0, 1, 1});
  fixture.expect_refusal("the mask of 0:1 forbids a0 -> b1");
}

TEST(Constraints, AGivenCouplingHasMassInEveryType) {
  Fixture fixture({2, 2});
  fixture.problem.transitions[0].coupling = matrix(2, 2, {0.6, 0.4, 0.0, 0.0});
  fixture.expect_refusal("type 'b0' of time 0 has no mass");
}

TEST(Constraints, TypesWithoutNamesAreNumbers) {
  Fixture fixture({2, 2});
  for (HmOtSlice& slice : fixture.problem.slices) slice.type_names.clear();
  fixture.problem.transitions[0].allowed = Matrix(2, 2, 1.0);
  fixture.problem.transitions[0].allowed->row(1)[0] = fixture.problem.transitions[0].allowed->row(1)[1] = 0.0;
  fixture.expect_refusal("type 1 of time 0 has no allowed target");
}

}  // namespace
}  // namespace thalweg
