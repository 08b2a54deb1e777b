// Values of a small problem, by POT (tests/golden/make_sinkhorn.py).
#include <gtest/gtest.h>

#include "cases.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Golden {
  std::string name;
  double epsilon = 0.0, lambda1 = 0.0, lambda2 = 0.0;
  EntropyReference reference = EntropyReference::product;
  double cost = 0.0, primal = 0.0, mass = 0.0;
  Vector coupling;
};

/// "unbalanced 0.05 counting: <C, P> F |P|"
Golden read_case(const std::string& line) {
  Golden golden;
  std::istringstream stream(line);
  std::string reference;
  std::getline(stream, golden.name, ':');
  stream >> golden.cost >> golden.primal >> golden.mass;
  std::istringstream words(golden.name);
  std::string kind;
  words >> kind >> golden.epsilon >> reference;
  golden.lambda1 = kind == "unbalanced" || kind == "source-relaxed" ? 1.0 : infinity;
  golden.lambda2 = kind == "unbalanced" ? 50.0 : kind == "semi-relaxed" ? 1.0 : infinity;
  if (reference == "counting") golden.reference = EntropyReference::counting;
  if (reference == "uniform") golden.reference = EntropyReference::uniform;
  return golden;
}

std::vector<Golden> read_cases() {
  std::ifstream file(test_data() + "/sinkhorn_cases.txt");
  std::vector<Golden> cases;
  for (std::string line; std::getline(file, line);) cases.push_back(read_case(line));
  const Vector couplings = read_golden<double>("sinkhorn_couplings.f64", cases.size() * 1200);
  for (std::size_t k = 0; k < cases.size(); ++k)
    cases[k].coupling.assign(couplings.begin() + static_cast<std::ptrdiff_t>(1200 * k), couplings.begin() + static_cast<std::ptrdiff_t>(1200 * (k + 1)));
  return cases;
}

struct SmallProblem : testing::TestWithParam<Golden> {};

TEST_P(SmallProblem, HasTheValuesAndTheCouplingOfPot) {
  const Golden& golden = GetParam();
  Dense dense(small_clouds());
  dense.problem.epsilon = golden.epsilon;
  dense.problem.lambda1 = golden.lambda1;
  dense.problem.lambda2 = golden.lambda2;
  dense.problem.reference = golden.reference;
  dense.settings.tolerance = 1e-12;
  dense.settings.gap_tolerance = 1e-13;
  const SinkhornSolution solution = dense.solve();
  EXPECT_EQ(solution.stop_reason, StopReason::converged);
  EXPECT_NEAR(solution.cost, golden.cost, 1e-9);
  EXPECT_NEAR(solution.primal, golden.primal, 1e-9);
  EXPECT_NEAR(solution.dual, golden.primal, 1e-9);
  EXPECT_NEAR(solution.mass, golden.mass, 1e-9);
  EXPECT_NEAR(solution.upper, golden.primal, 1e-9);
  const Vector coupling = dense.coupling(solution);
  for (std::size_t k = 0; k < coupling.size(); ++k) EXPECT_NEAR(coupling[k], golden.coupling[k], 1e-9) << "entry " << k;
}

INSTANTIATE_TEST_SUITE_P(Pot, SmallProblem, testing::ValuesIn(read_cases()), [](const auto& param_info) {
  std::string name = param_info.param.name;
  for (char& letter : name)
    if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
  return name;
});

TEST(SmallProblemAtFivePercent, HasThePotentialsOfOtt) {
  const Vector values = read_golden<double>("sinkhorn_ott.f64", 210);
  std::size_t next = 0;
  for (const auto& [lambda1, lambda2] : {std::pair{infinity, infinity}, {1.0, 50.0}, {infinity, 1.0}}) {
    Dense dense(small_clouds());
    dense.problem.reference = EntropyReference::counting;
    dense.problem.lambda1 = lambda1;
    dense.problem.lambda2 = lambda2;
    dense.settings.tolerance = 1e-12;
    dense.settings.gap_tolerance = 1e-13;
    const SinkhornSolution solution = dense.solve();
    for (const double f : solution.f) EXPECT_NEAR(f, values[next++], 1e-9);
    for (const double g : solution.g) EXPECT_NEAR(g, values[next++], 1e-9);
  }
}

TEST(SmallProblemAtFivePercent, HasThePublishedDetails) {
  const Clouds clouds = small_clouds();
  Dense dense(clouds);
  dense.settings.tolerance = 1e-12;
  const SinkhornSolution solution = dense.solve();
  EXPECT_NEAR(solution.entropy, 5.05259378367209, 1e-9);
  EXPECT_NEAR(solution.f[0] - solution.f[1], -0.0210001557656461, 1e-9);
  const Vector coupling = dense.coupling(solution);
  double barycentre[3] = {};
  for (std::size_t j = 0; j < 30; ++j)
    for (std::size_t k = 0; k < 3; ++k) barycentre[k] += coupling[j] / solution.row_sums[0] * clouds.y[3 * j + k];
  EXPECT_NEAR(barycentre[0], 0.65989678, 1e-8);
  EXPECT_NEAR(barycentre[1], 0.62243794, 1e-8);
  EXPECT_NEAR(barycentre[2], 1.16210418, 1e-8);
  EXPECT_GT(coupling[23], coupling[18]);
  EXPECT_GT(coupling[18], coupling[6]);
  for (std::size_t j = 0; j < 30; ++j) {
    if (j != 23 && j != 18) {
      EXPECT_GE(coupling[6], coupling[j]) << "column " << j;
    }
  }
}

TEST(Certificate, HasThePublishedBoundsAfterPlainUpdates) {
  Dense dense(small_clouds());
  dense.problem.epsilon = 0.01;
  dense.settings.acceleration = Acceleration::none;
  dense.settings.epsilon_start = 0.01;
  dense.settings.max_iterations = 100;
  dense.settings.tolerance = 1e-12;
  const SinkhornSolution solution = dense.solve();
  const double optimum = 0.330848256020720;
  EXPECT_EQ(solution.stop_reason, StopReason::max_iterations);
  EXPECT_NEAR(solution.error_target, 0.01612894, 1e-8);
  EXPECT_NEAR(solution.dual - optimum, -7.4661e-5, 1e-9);
  EXPECT_NEAR(solution.upper - optimum, 8.21774e-3, 1e-8);
}

}  // namespace
}  // namespace thalweg
