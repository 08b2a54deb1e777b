// An alignment that is stopped at any moment goes on to the bits of one that is not.
#include <gtest/gtest.h>

#include "solvers/gromov/multi_start.hpp"
#include "tests/support/memory_checkpoint.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

enum class Costs { stored, squared, factored };

struct Case {
  std::string name;
  Costs costs = Costs::stored;
  GromovMode mode = GromovMode::balanced;
  Regularisation regularisation = Regularisation::entropy;
  Precision precision = Precision::float64;
  double epsilon = 0.02;
  bool is_fused = false;
  GromovAlgorithm algorithm = GromovAlgorithm::mirror;
};

const std::vector<Case>& all_cases() {
  constexpr auto balanced = GromovMode::balanced;
  constexpr auto entropy = Regularisation::entropy, proximal = Regularisation::proximal;
  constexpr auto float32 = Precision::float32, float64 = Precision::float64;
  static const std::vector<Case> list = {
      {"stored"},
      {"stored, float32", Costs::stored, balanced, entropy, float32},
      {"stored, small epsilon", Costs::stored, balanced, entropy, float64, 0.003},
      {"fused", Costs::stored, balanced, entropy, float64, 0.02, true},
      {"squared", Costs::squared},
      {"factored", Costs::factored},
      {"semi-relaxed", Costs::stored, GromovMode::semi_relaxed},
      {"unbalanced", Costs::stored, GromovMode::unbalanced},
      {"proximal", Costs::stored, balanced, proximal, float64, 0.05},
      {"sharp", Costs::stored, balanced, entropy, float64, 0.02, false, GromovAlgorithm::frank_wolfe},
  };
  return list;
}

/// Sides of one or two blocks of rows, and the costs of the owned ones.
class Toy {
 public:
  Toy(const Communicator& comm, bool is_squared, std::int64_t n, std::int64_t m)
      : x_(toy_source(n)),
        y_(toy_target(m)),
        own_x_(owned(comm, x_.distances(is_squared), n)),
        own_y_(owned(comm, y_.distances(is_squared), m)),
        largest_x_(x_.largest(is_squared)),
        largest_y_(y_.largest(is_squared)),
        u_(toy_shared(n, 1.0)),
        v_(toy_shared(m, 1.1)) {}

  GromovProblem problem(const Case& c) const {
    GromovProblem result{StoredIntraCosts{x_.size, std::span<const double>(own_x_), largest_x_},
                         StoredIntraCosts{y_.size, std::span<const double>(own_y_), largest_y_}, x_.weights, y_.weights,
                         c.epsilon};
    if (c.costs == Costs::squared) {
      result.source = SquaredDistances{points(x_.points, x_.dimension), largest_x_};
      result.target = SquaredDistances{points(y_.points, y_.dimension), largest_y_};
    }
    if (c.costs == Costs::factored) {
      result.source = FactoredCosts{points(x_.points, x_.dimension), Vector(3, 1.0), largest_x_};
      result.target = FactoredCosts{points(y_.points, y_.dimension), Vector(4, 1.0), largest_y_};
    }
    if (c.is_fused) {
      result.alpha = 0.5;
      result.linear = SharedFeatures{points(u_, 2), points(v_, 2)};
    }
    result.mode = c.mode;
    result.regularisation = c.regularisation;
    return result;
  }

 private:
  static PointSet points(const Vector& values, std::int64_t dimension) {
    return {static_cast<std::int64_t>(values.size()) / dimension, dimension, std::span<const double>(values)};
  }

  ToySide x_, y_;
  Vector own_x_, own_y_;
  double largest_x_, largest_y_;
  Vector u_, v_;
};

struct Sizes {
  std::int64_t n = 300, m = 270;
};

GromovSolution solve(const Communicator& comm, const Case& c, Sizes sizes, Checkpoint* checkpoint, StopAt& stop) {
  const Toy toy(comm, /*is_squared=*/c.costs == Costs::squared, sizes.n, sizes.m);
  const GromovProblem problem = toy.problem(c);
  GromovSettings settings;
  settings.algorithm = c.algorithm;
  settings.max_outer = 10;
  settings.epsilon_decay = 0.7;
  settings.checkpoint = checkpoint;
  return solve_gromov({comm, c.precision, test_device(), 0}, problem, settings, {}, std::ref(stop));
}

void expect_equal(const std::vector<GromovRecord>& a, const std::vector<GromovRecord>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    EXPECT_EQ(a[k].outer, b[k].outer);
    EXPECT_EQ(a[k].inner, b[k].inner);
    EXPECT_EQ(a[k].primal, b[k].primal);
    EXPECT_EQ(a[k].step, b[k].step);
    EXPECT_EQ(a[k].is_accepted, b[k].is_accepted);
    EXPECT_EQ(a[k].stop_reason, b[k].stop_reason);
  }
}

void expect_equal(const GromovSolution& a, const GromovSolution& b) {
  EXPECT_EQ(a.stop_reason, b.stop_reason);
  EXPECT_EQ(a.primal, b.primal);
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.energy_gw, b.energy_gw);
  EXPECT_EQ(a.energy_linear, b.energy_linear);
  EXPECT_EQ(a.units.quadratic, b.units.quadratic);
  EXPECT_EQ(a.alpha, b.alpha);
  EXPECT_EQ(a.gap, b.gap);
  EXPECT_EQ(a.outer, b.outer);
  EXPECT_EQ(a.evaluations, b.evaluations);
  EXPECT_EQ(a.coupling.f, b.coupling.f);
  EXPECT_EQ(a.coupling.g, b.coupling.g);
  EXPECT_EQ(a.coupling.row_sums, b.coupling.row_sums);
  EXPECT_EQ(a.coupling.error_target, b.coupling.error_target);
  EXPECT_EQ(a.geometry->coupling_rows(a.geometry->rows(), a.coupling.f, a.coupling.g),
            b.geometry->coupling_rows(b.geometry->rows(), b.coupling.f, b.coupling.g));
  expect_equal(a.history, b.history);
}

TEST(GromovCheckpoint, GoesOnToTheSameBitsFromAnyMoment) {
  const auto comm = make_world_communicator();
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(c.name);
    StopAt never;
    const GromovSolution whole = solve(*comm, c, {}, nullptr, never);
    ASSERT_GT(never.questions, 5);
    for (int number = 1; number <= never.questions; number += number < 2 ? 1 : std::max(1, never.questions / 2)) {
      SCOPED_TRACE(number);
      MemoryCheckpoint checkpoint;
      StopAt stop{number}, then;
      const GromovSolution part = solve(*comm, c, {}, &checkpoint, stop);
      EXPECT_EQ(part.stop_reason, StopReason::interrupted);
      EXPECT_EQ(checkpoint.num_saved, 1);
      expect_equal(solve(*comm, c, {}, &checkpoint, then), whole);
    }
  }
}

TEST(GromovCheckpoint, InPiecesOfOneQuestionEach) {
  const auto comm = make_world_communicator();
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(c.name);
    constexpr Sizes few{24, 20};
    StopAt never;
    const GromovSolution whole = solve(*comm, c, few, nullptr, never);
    MemoryCheckpoint checkpoint;
    bool is_done = false;
    for (int piece = 0; piece <= never.questions && !is_done; ++piece) {
      StopAt stop{1};
      const GromovSolution part = solve(*comm, c, few, &checkpoint, stop);
      is_done = part.stop_reason != StopReason::interrupted;
      if (is_done) expect_equal(part, whole);
    }
    EXPECT_TRUE(is_done);
  }
}

TEST(GromovCheckpoint, IsNotDisturbedByStatesThatAreSaved) {
  const auto comm = make_world_communicator();
  StopAt never, again, once_more;
  const GromovSolution whole = solve(*comm, all_cases().front(), {}, nullptr, never);
  MemoryCheckpoint checkpoint;
  checkpoint.is_asked = comm->is_root();
  expect_equal(solve(*comm, all_cases().front(), {}, &checkpoint, again), whole);
  EXPECT_EQ(checkpoint.num_saved, never.questions);
  expect_equal(solve(*comm, all_cases().front(), {}, &checkpoint, once_more), whole);  // from its last step
  EXPECT_LT(once_more.questions, again.questions / 2);
}

/// Steps that are taken back keep the cost before them, others do not.
TEST(GromovCheckpoint, SavesOneStoredCostBeforeTheFirstRise) {
  const auto comm = make_world_communicator();
  MemoryCheckpoint checkpoint;
  StopAt stop{3};
  solve(*comm, all_cases().front(), {}, &checkpoint, stop);
  EXPECT_TRUE(checkpoint.holds("next_linear/tiles"));
  EXPECT_FALSE(checkpoint.holds("linear/tiles"));
}

struct Starts {
  std::int64_t anchors = 512;
  bool has_given = false, keeps_end = false;
};

MultiStartSolution solve_starts(const Communicator& comm, const Starts& starts, Checkpoint* checkpoint, StopAt& stop) {
  const Toy toy(comm, /*is_squared=*/false, 300, 270);
  const GromovProblem problem = toy.problem(all_cases().front());
  MultiStartSettings settings;
  settings.starts = 4;
  settings.exchange_groups = 3;
  settings.anchors = starts.anchors;
  settings.solve.max_outer = 20;
  settings.solve.keep_linear = starts.keeps_end;
  settings.checkpoint = checkpoint;
  settings.keeps_end = starts.keeps_end;
  if (starts.has_given) {
    auto diagonal = std::make_shared<CouplingEntries>();
    for (std::int64_t i = 0; i < 270; ++i) {
      diagonal->rows.push_back(i);
      diagonal->columns.push_back(i);
      diagonal->mass.push_back(1.0 / 270);
    }
    settings.given = diagonal;
  }
  return solve_gromov_from_starts({comm, Precision::float64, test_device(), 0}, problem, settings, {}, std::ref(stop));
}

/// NaN is what it is.
void expect_same(double a, double b) {
  if (std::isnan(a)) {
    EXPECT_TRUE(std::isnan(b));
  } else {
    EXPECT_EQ(a, b);
  }
}

void expect_equal(const MultiStartSolution& a, const MultiStartSolution& b) {
  expect_equal(a.best, b.best);
  EXPECT_EQ(a.best_start, b.best_start);
  EXPECT_EQ(a.is_ambiguous, b.is_ambiguous);
  EXPECT_EQ(a.other_start, b.other_start);
  ASSERT_EQ(a.other.has_value(), b.other.has_value());
  if (a.other) expect_equal(*a.other, *b.other);
  ASSERT_EQ(a.bounds.has_value(), b.bounds.has_value());
  if (a.bounds) {
    EXPECT_EQ(a.bounds->best(), b.bounds->best());
  }
  ASSERT_EQ(a.starts.size(), b.starts.size());
  for (std::size_t s = 0; s < a.starts.size(); ++s) {
    SCOPED_TRACE(a.starts[s].name);
    EXPECT_EQ(a.starts[s].name, b.starts[s].name);
    EXPECT_EQ(a.starts[s].merged_into, b.starts[s].merged_into);
    EXPECT_EQ(a.starts[s].is_chosen, b.starts[s].is_chosen);
    EXPECT_EQ(a.starts[s].outer, b.starts[s].outer);
    EXPECT_EQ(a.starts[s].evaluations, b.starts[s].evaluations);
    expect_same(a.starts[s].primal, b.starts[s].primal);
    expect_same(a.starts[s].overlap, b.starts[s].overlap);
    expect_same(a.starts[s].anchor_primal, b.starts[s].anchor_primal);
    expect_same(a.starts[s].anchor_overlap, b.starts[s].anchor_overlap);
    expect_equal(a.starts[s].history, b.starts[s].history);
  }
}

void expect_starts_to_go_on(const Starts& starts) {
  const auto comm = make_world_communicator();
  StopAt never;
  const MultiStartSolution whole = solve_starts(*comm, starts, nullptr, never);
  for (const int share : {1, 3, 5, 7, 8}) {
    SCOPED_TRACE(share);
    MemoryCheckpoint checkpoint;
    StopAt stop{std::max(1, never.questions * share / 9)}, then;
    const MultiStartSolution part = solve_starts(*comm, starts, &checkpoint, stop);
    EXPECT_EQ(part.best.stop_reason, StopReason::interrupted);
    EXPECT_EQ(checkpoint.num_saved, 1);
    EXPECT_TRUE(std::isfinite(part.best.primal));
    expect_equal(solve_starts(*comm, starts, &checkpoint, then), whole);
  }
}

TEST(GromovCheckpoint, GoesOnAmongStartsOnAllCells) { expect_starts_to_go_on({}); }

TEST(GromovCheckpoint, GoesOnAmongStartsOnAnchors) { expect_starts_to_go_on({.anchors = 100}); }

TEST(GromovCheckpoint, GoesOnAfterAGivenStart) { expect_starts_to_go_on({.anchors = 100, .has_given = true}); }

TEST(GromovCheckpoint, SolvesNoStartTwiceInSmallPieces) {
  const auto comm = make_world_communicator();
  for (const std::int64_t anchors : {512, 100}) {
    SCOPED_TRACE(anchors);
    const Starts starts{.anchors = anchors};
    StopAt never;
    const MultiStartSolution whole = solve_starts(*comm, starts, nullptr, never);
    const int length = std::max(1, never.questions / 12);
    MemoryCheckpoint checkpoint;
    bool is_done = false;
    for (int piece = 0; piece < 40 && !is_done; ++piece) {
      StopAt stop{length};
      const MultiStartSolution part = solve_starts(*comm, starts, &checkpoint, stop);
      is_done = part.best.stop_reason != StopReason::interrupted;
      if (!is_done) continue;
      expect_equal(part, whole);
      EXPECT_GT(piece, 5);
    }
    EXPECT_TRUE(is_done);
  }
}

TEST(GromovCheckpoint, KeepsTheEndWhereAskedTo) {
  const auto comm = make_world_communicator();
  const Starts starts{.anchors = 100, .keeps_end = true};
  MemoryCheckpoint checkpoint;
  StopAt never, then;
  const MultiStartSolution whole = solve_starts(*comm, starts, &checkpoint, never);
  EXPECT_EQ(checkpoint.num_saved, 1);
  const MultiStartSolution again = solve_starts(*comm, starts, &checkpoint, then);
  EXPECT_EQ(then.questions, 0);
  EXPECT_TRUE(again.best.linear.has_value());
  expect_equal(again, whole);
}

TEST(GromovCheckpoint, AStopInAGivenStartLeavesOthersAlone) {
  const auto comm = make_world_communicator();
  StopAt stop{2};
  const MultiStartSolution part = solve_starts(*comm, {.anchors = 100, .has_given = true}, nullptr, stop);
  EXPECT_EQ(part.best.stop_reason, StopReason::interrupted);
  ASSERT_EQ(part.starts.size(), 1U);
  EXPECT_EQ(part.starts.front().name, "given");
  EXPECT_EQ(stop.questions, 2);
}

}  // namespace
}  // namespace thalweg
