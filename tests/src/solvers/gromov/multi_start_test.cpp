// Several starts: never worse than one, the truth where there is one, and doubt where there are two.
#include "solvers/gromov/multi_start.hpp"

#include <gtest/gtest.h>

#include "solvers/gromov/cell_coupling.hpp"
#include "solvers/gromov/start_couplings.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

GromovSettings tight(bool is_annealed) {
  GromovSettings settings;
  if (!is_annealed) settings.epsilon_start.reset();
  settings.tolerance = 1e-10;
  settings.inner_tolerance = 1e-10;
  settings.inner_iterations = 20000;
  settings.max_outer = 2000;
  return settings;
}

/// A bent line without symmetry, and the same points in another order and turned by 90 degrees.
struct Isometry {
  static constexpr std::int64_t n = 200;
  Vector x, y, weights = Vector(n, 1.0 / n);

  static std::int64_t place(std::int64_t i) { return (i * 77 + 31) % n; }
  Isometry() : y(3 * n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double u = static_cast<double>(i) / 100.0, step = static_cast<double>(i);
      x.insert(x.end(), {std::cos(0.7 * step), std::sin(1.3 * step + 0.2), u + 0.3 * u * u});
      const double* point = x.data() + 3 * i;
      std::copy_n(Vector{-point[1], point[0], point[2]}.begin(), 3, y.begin() + 3 * place(i));
    }
  }
};

class MultiStart : public ::testing::Test {
 protected:
  MultiStartSolution solve(const IntraCosts& source, const IntraCosts& target, const Vector& a, const Vector& b,
                           double epsilon, const GromovSettings& settings, std::int64_t anchors = 512) const {
    MultiStartSettings starts;
    starts.solve = settings;
    starts.anchors = anchors;
    return solve_gromov_from_starts(context_, {source, target, a, b, epsilon}, starts);
  }

  void expect_permutation(const GromovSolution& solution) const {
    const std::int64_t n = Isometry::n;
    const Vector coupling = coupling_of(solution);
    for (std::int64_t i = 0; i < n; ++i) {
      const auto row = coupling.begin() + i * n;
      EXPECT_EQ(std::max_element(row, row + n) - row, Isometry::place(i));
    }
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  ToySide x_ = toy_source(), y_ = toy_target();
};

/// Values of POT 0.9.7, from a b^T alone.
TEST_F(MultiStart, EndsNoHigherThanTheProductAlone) {
  struct Golden {
    bool is_squared;
    double epsilon, primal;
  };
  for (const Golden golden : {Golden{false, 0.05, 0.1030777268},
                              {false, 0.01, 0.0621309649},
                              {true, 0.05, 0.1015057193},
                              {true, 0.01, 0.0702873657}}) {
    const Vector a = x_.distances(golden.is_squared), b = y_.distances(golden.is_squared);
    const MultiStartSolution solution =
        solve(StoredIntraCosts{24, std::span<const double>(a), x_.largest(golden.is_squared)},
              StoredIntraCosts{20, std::span<const double>(b), y_.largest(golden.is_squared)}, x_.weights, y_.weights,
              golden.epsilon, tight(true));
    EXPECT_EQ(solution.best.stop_reason, StopReason::converged);
    EXPECT_LE(solution.best.primal, golden.primal + 1e-7);
    EXPECT_GE(solution.best.energy, solution.bounds->best());
    ASSERT_EQ(solution.starts.size(), 8U);
    EXPECT_EQ(solution.is_ambiguous, solution.other.has_value());
    for (const StartReport& start : solution.starts) {
      EXPECT_LE(solution.best.primal, start.primal) << start.name;
      EXPECT_EQ(start.is_chosen, start.name == solution.best_start);
    }
    const auto direct = std::find_if(solution.starts.begin(), solution.starts.end(),
                                     [](const StartReport& start) { return start.name == "product_direct"; });
    EXPECT_NEAR(direct->primal, golden.primal, 1e-7);
  }
}

TEST_F(MultiStart, FindsAnIsometryWholeAndThroughAnchors) {
  const Isometry data;
  GromovSettings settings;
  settings.inner_iterations = 10000;
  for (const bool is_squared : {true, false}) {
    const ToySide x{Isometry::n, 3, data.x, data.weights}, y{Isometry::n, 3, data.y, data.weights};
    const Vector costs_x = x.distances(false), costs_y = y.distances(false);
    const double largest = x.largest(is_squared);
    const IntraCosts source =
        is_squared ? IntraCosts(SquaredDistances{{Isometry::n, 3, std::span<const double>(data.x)}, largest})
                   : StoredIntraCosts{Isometry::n, std::span<const double>(costs_x), largest};
    const IntraCosts target =
        is_squared ? IntraCosts(SquaredDistances{{Isometry::n, 3, std::span<const double>(data.y)}, largest})
                   : StoredIntraCosts{Isometry::n, std::span<const double>(costs_y), largest};
    for (const std::int64_t anchors : {512, 80}) {
      const MultiStartSolution solution = solve(source, target, data.weights, data.weights, 1e-3, settings, anchors);
      EXPECT_LE(solution.best.gap, settings.tolerance * solution.best.primal);
      EXPECT_NEAR(solution.best.energy, is_squared ? 3.1e-4 : 2.4e-4, 0.1e-4);
      EXPECT_NEAR(solution.bounds->best(), 0.0, 1e-12);
      expect_permutation(solution.best);
    }
  }
}

TEST_F(MultiStart, CarriesThreeDistinctCouplingsAtMost) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  const MultiStartSolution solution =
      solve(StoredIntraCosts{24, std::span<const double>(a), 4.0},
            StoredIntraCosts{20, std::span<const double>(b), 4.0}, x_.weights, y_.weights, 0.01, {}, 15);
  std::int64_t carried = 0;
  for (const StartReport& start : solution.starts) {
    EXPECT_TRUE(std::isfinite(start.anchor_primal)) << start.name;
    EXPECT_FALSE(start.is_carried && !start.merged_into.empty()) << start.name;
    EXPECT_EQ(start.is_carried, std::isfinite(start.primal)) << start.name;
    EXPECT_EQ(start.is_carried, !start.history.empty()) << start.name;
    if (start.is_carried) {
      EXPECT_LE(solution.best.primal, start.primal);
    }
    carried += start.is_carried ? 1 : 0;
  }
  EXPECT_GE(carried, 1);
  EXPECT_LE(carried, 3);
}

TEST_F(MultiStart, KeepsAllSolutionsWhereTheyAreAskedFor) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  const GromovProblem problem{StoredIntraCosts{24, std::span<const double>(a), 4.0},
                              StoredIntraCosts{20, std::span<const double>(b), 4.0}, x_.weights, y_.weights, 0.01};
  MultiStartSettings settings;
  settings.keeps_others = true;
  const MultiStartSolution solution = solve_gromov_from_starts(context_, problem, settings);
  EXPECT_FALSE(solution.other.has_value());
  ASSERT_EQ(solution.others.size(), 7U);
  double before = 0.0;
  for (const auto& [name, other] : solution.others) {
    const auto start = std::find_if(solution.starts.begin(), solution.starts.end(),
                                    [&](const StartReport& report) { return report.name == name; });
    ASSERT_NE(start, solution.starts.end()) << name;
    EXPECT_FALSE(start->is_chosen) << name;
    EXPECT_EQ(other.primal, start->primal) << name;
    EXPECT_GE(other.primal, before) << name;
    before = other.primal;
  }
}

/// Two lumps of equal weight on either side of a line: a mirror image is as good.
TEST_F(MultiStart, TellsThatASymmetricShapeIsAmbiguous) {
  for (const double shift : {0.0, 1.5}) {  // of the second lump's second half: breaks the symmetry
    Vector points;
    for (int i = 0; i < 12; ++i) points.push_back(i < 6 ? -1.0 - 0.1 * i : 1.0 + 0.1 * (i - 6) + (i > 8 ? shift : 0.0));
    const SquaredDistances side{{12, 1, std::span<const double>(points)}, 4.0};
    const Vector weights(12, 1.0 / 12);
    const MultiStartSolution solution = solve(side, side, weights, weights, 1e-3, {});
    EXPECT_EQ(solution.is_ambiguous, shift == 0.0);
    EXPECT_EQ(solution.other_start.empty(), shift != 0.0);
    ASSERT_EQ(solution.other.has_value(), shift == 0.0);
    if (!solution.other) continue;
    EXPECT_LE(solution.other->primal, 1.02 * solution.best.primal);
    EXPECT_LT(overlap_of(*comm_, *solution.other, solution.best), 0.8);
    const auto other = std::find_if(solution.starts.begin(), solution.starts.end(), [&](const StartReport& start) {
      return start.name == solution.other_start;
    });
    EXPECT_EQ(solution.other->primal, other->primal);
  }
}

/// Three lumps in a triangle: where two sides of it are nearly equal, two lumps may be taken for each other.
struct Triangle {
  static constexpr std::int64_t n = 24;
  Vector points, weights = Vector(n, 1.0 / n);

  /// @param apex   of the third lump along the line between the others, 0 in the middle
  explicit Triangle(double apex) {
    const double corners[3][2] = {{-1.0, 0.0}, {1.0, 0.0}, {apex, 3.0}};
    for (std::int64_t i = 0; i < n; ++i) {
      const double* corner = corners[i % 3];
      const double step = static_cast<double>(i);
      points.insert(points.end(), {corner[0] + 0.1 * std::sin(2.3 * step), corner[1] + 0.1 * std::cos(1.7 * step + 0.4)});
    }
  }
  SquaredDistances costs() const { return {{n, 2, std::span<const double>(points)}, 10.0}; }
};

TEST_F(MultiStart, ExchangesOfGroupsFindTheOtherOfTwoSolutions) {
  for (const double apex : {0.03, 1.0}) {
    const Triangle shape(apex);
    const GromovProblem problem{shape.costs(), shape.costs(), shape.weights, shape.weights, 0.01};
    MultiStartSettings settings;
    settings.starts = 3;
    settings.exchange_groups = 3;
    for (const std::int64_t anchors : {512, 18}) {
      settings.anchors = anchors;
      const MultiStartSolution solution = solve_gromov_from_starts(context_, problem, settings);
      ASSERT_EQ(solution.starts.size(), 6U);
      EXPECT_EQ(solution.starts[3].name, "exchange_1_2");
      EXPECT_EQ(solution.starts[5].name, "exchange_2_3");
      EXPECT_EQ(solution.is_ambiguous, apex < 0.5);
      if (apex > 0.5) continue;
      EXPECT_EQ(solution.other_start.substr(0, 9), "exchange_");
      ASSERT_TRUE(solution.other.has_value());
      EXPECT_GT(solution.other->primal, solution.best.primal);
      EXPECT_LT(overlap_of(*comm_, *solution.other, solution.best), 0.8);
    }
  }
}

/// An exchange of groups of a coupling of blocks is the coupling of those blocks in their other order.
TEST_F(MultiStart, AnExchangeKeepsTheWeightsOfTheSources) {
  const Triangle shape(1.0);
  const GromovProblem problem{shape.costs(), shape.costs(), shape.weights, shape.weights, 0.01};
  const StartCouplings couplings(*comm_, problem, 0);
  Matrix same(Triangle::n, Triangle::n);
  for (std::int64_t i = 0; i < Triangle::n; ++i) same(i, i) = 1.0 / Triangle::n;
  std::vector<std::pair<std::int64_t, std::int64_t>> exchanged;
  for (std::int64_t pair = 0; pair < num_pairs(3); ++pair) {
    const Matrix mass = *couplings.exchange(pair, couplings.groups(3), same).mass;
    std::int64_t partner[3] = {0, 1, 2};  // of each lump
    for (std::int64_t i = 0; i < Triangle::n; ++i)
      for (std::int64_t j = 0; j < Triangle::n; ++j) {
        if (mass(i, j) == 0.0) continue;
        partner[i % 3] = j % 3;
        const bool is_kept = i % 3 == j % 3;
        EXPECT_NEAR(mass(i, j), is_kept ? 1.0 / Triangle::n : 1.0 / (Triangle::n * 8), 1e-15);
      }
    std::int64_t moved = 0;
    for (std::int64_t lump = 0; lump < 3; ++lump) {
      EXPECT_EQ(partner[partner[lump]], lump);
      moved += partner[lump] != lump ? 1 : 0;
    }
    EXPECT_EQ(moved, 2);
    for (std::int64_t lump = 0; lump < 3; ++lump)
      if (partner[lump] > lump) exchanged.emplace_back(lump, partner[lump]);
  }
  std::sort(exchanged.begin(), exchanged.end());
  EXPECT_EQ(std::unique(exchanged.begin(), exchanged.end()) - exchanged.begin(), 3);
}

TEST_F(MultiStart, StaysWhereAnEarlierSolveEnded) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  const GromovProblem problem{StoredIntraCosts{24, std::span<const double>(a), 4.0},
                              StoredIntraCosts{20, std::span<const double>(b), 4.0}, x_.weights, y_.weights, 0.02};
  GromovSettings settings = tight(true);
  settings.keep_linear = true;
  const GromovSolution first = solve_gromov(context_, problem, settings);
  EXPECT_GT(first.outer, 10);
  settings.epsilon_start.reset();
  Matrix mass(24, 20);
  mass.values = coupling_of(first);
  CellCoupling coupling{{}, {}, mass};
  for (std::int64_t i = 0; i < 24; ++i) coupling.rows.push_back(i);
  for (std::int64_t j = 0; j < 20; ++j) coupling.columns.push_back(j);
  for (const GromovStart& start : {GromovStart(*first.linear), GromovStart(coupling)}) {
    settings.start = start;
    const GromovSolution again = solve_gromov(context_, problem, settings);
    EXPECT_LE(again.outer, 4);
    EXPECT_NEAR(again.primal, first.primal, 1e-10);
    EXPECT_NEAR(overlap_of(*comm_, first, again), 1.0, 1e-4);
  }
}

TEST_F(MultiStart, KeepsTheBestSoFarWhenStopped) {
  const SquaredDistances source{{24, 3, std::span<const double>(x_.points)}, 8.0},
      target{{20, 4, std::span<const double>(y_.points)}, 8.0};
  const GromovProblem problem{source, target, x_.weights, y_.weights, 0.02};
  std::int64_t asked = 0;
  const auto stop = [&]() -> std::optional<StopReason> {
    return ++asked > 1000 ? std::optional(StopReason::interrupted) : std::nullopt;
  };
  const MultiStartSolution solution = solve_gromov_from_starts(context_, problem, {}, {}, stop);
  EXPECT_EQ(solution.best.stop_reason, StopReason::interrupted);
  ASSERT_GE(solution.starts.size(), 2U);
  EXPECT_LT(solution.starts.size(), 8U);
  EXPECT_EQ(solution.best.coupling.epsilon, 0.02);
  EXPECT_EQ(solution.starts.back().stop_reason, StopReason::interrupted);
  EXPECT_FALSE(solution.starts.back().is_chosen);
}

TEST_F(MultiStart, SaysSoWhereNoStartEndsInNumbers) {
  Vector a = x_.distances(false);
  const Vector b = y_.distances(false);
  a[5] = std::nan("");
  const GromovProblem problem{StoredIntraCosts{24, std::span<const double>(a), 1.0},
                              StoredIntraCosts{20, std::span<const double>(b), 4.0}, x_.weights, y_.weights, 0.02};
  MultiStartSettings settings;
  settings.starts = 2;
  settings.wants_bounds = false;
  EXPECT_THROW(solve_gromov_from_starts(context_, problem, settings), NumericalError);
}

TEST_F(MultiStart, TakesSinglePointsAndCellsWithoutWeight) {
  const Vector point{1.0, 2.0};
  const IntraCosts single = SquaredDistances{{1, 2, std::span<const double>(point)}, 1.0};
  EXPECT_EQ(solve(single, single, {1.0}, {1.0}, 0.01, {}).best.energy, 0.0);

  ToySide x = x_;
  x.weights[5] = 0.0;
  x.normalise();
  const Vector a = x.distances(false), b = y_.distances(false);
  for (const std::int64_t anchors : {512, 15}) {
    const MultiStartSolution solution =
        solve(StoredIntraCosts{24, std::span<const double>(a), 4.0},
              StoredIntraCosts{20, std::span<const double>(b), 4.0}, x.weights, y_.weights, 0.02, {}, anchors);
    EXPECT_EQ(solution.best.stop_reason, StopReason::converged);
    EXPECT_GT(solution.best.energy, solution.bounds->best());
    const Vector coupling = coupling_of(solution.best);
    for (std::size_t j = 0; j < 20; ++j) EXPECT_EQ(coupling[5 * 20 + j], 0.0);
  }
}

TEST_F(MultiStart, StartsHaveTheWeightsAsMarginals) {
  const Vector a = x_.distances(false), b = y_.distances(false);
  const GromovProblem problem{StoredIntraCosts{24, std::span<const double>(a), 4.0},
                              StoredIntraCosts{20, std::span<const double>(b), 4.0}, x_.weights, y_.weights, 0.02};
  const StartCouplings couplings(*comm_, problem, 5);
  for (std::int64_t start = 0; start < 11; ++start) {
    const StartCoupling made = couplings.make(start);
    EXPECT_EQ(made.mass.has_value(), start >= 2);
    EXPECT_EQ(made.is_annealed, start != 1);
    if (!made.mass) continue;
    Vector columns(20, 0.0);
    for (std::int64_t i = 0; i < 24; ++i) {
      double row = 0.0;
      for (std::int64_t j = 0; j < 20; ++j) {
        row += (*made.mass)(i, j);
        columns[static_cast<std::size_t>(j)] += (*made.mass)(i, j);
      }
      EXPECT_NEAR(row, x_.weights[static_cast<std::size_t>(i)], 1e-12) << made.name;
    }
    for (std::size_t j = 0; j < 20; ++j) EXPECT_NEAR(columns[j], y_.weights[j], 1e-12) << made.name;
  }
  EXPECT_NE(couplings.make(8).mass->values, couplings.make(9).mass->values);
}

/// Two coordinates, the second mirrored: one sign pattern is the truth.
TEST_F(MultiStart, OneSignPatternIsThatOfAMirroredCopy) {
  Vector x, y;
  for (int i = 0; i < 30; ++i) {
    const double u = i / 10.0, v = 0.3 * std::sin(2.0 * i) + 0.01 * i * i / 30.0;
    x.insert(x.end(), {u + 0.2 * u * u, v});
    y.insert(y.end(), {5.0 + u + 0.2 * u * u, -v});
  }
  const Vector weights(30, 1.0 / 30);
  const GromovProblem problem{SquaredDistances{{30, 2, std::span<const double>(x)}, 1.0},
                              SquaredDistances{{30, 2, std::span<const double>(y)}, 1.0}, weights, weights, 0.02};
  const StartCouplings couplings(*comm_, problem, 0);
  double most = 0.0;
  for (std::int64_t start = 4; start < 8; ++start) {
    const Matrix mass = *couplings.make(start).mass;
    double share = 0.0;
    for (std::int64_t i = 0; i < 30; ++i) share += mass(i, i);
    most = std::max(most, share);
  }
  EXPECT_NEAR(most, 1.0, 1e-12);
}

}  // namespace
}  // namespace thalweg
