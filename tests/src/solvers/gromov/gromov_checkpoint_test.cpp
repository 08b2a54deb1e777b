// An alignment that is stopped at any moment goes on to the bits of one that is not.
#include <gtest/gtest.h>

#include <map>

#include "solvers/gromov/multi_start.hpp"
#include "tests/support/memory_checkpoint.hpp"
#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct Case {
  std::string name;
  bool is_stored = true;
  GromovMode mode = GromovMode::balanced;
  Regularisation regularisation = Regularisation::entropy;
  Precision precision = Precision::float64;
  double epsilon = 0.02;
};

const std::vector<Case>& all_cases() {
  static const std::vector<Case> list = {
      {"stored"},
      {"stored, float32", true, GromovMode::balanced, Regularisation::entropy, Precision::float32},
      {"squared", false},
      {"semi-relaxed", true, GromovMode::semi_relaxed},
      {"proximal", true, GromovMode::balanced, Regularisation::proximal, Precision::float64, 0.05},
  };
  return list;
}

/// Sides of two blocks of rows, and the costs of the owned ones.
struct Toy {
  ToySide x = toy_source(300), y = toy_target(270);
  Vector own_x, own_y;
  double largest_x, largest_y;

  Toy(const Communicator& comm, bool is_squared)
      : own_x(owned(comm, x.distances(is_squared), x.size)), own_y(owned(comm, y.distances(is_squared), y.size)),
        largest_x(x.largest(is_squared)), largest_y(y.largest(is_squared)) {}

  GromovProblem problem(const Case& c) const {
    GromovProblem result{StoredIntraCosts{x.size, std::span<const double>(own_x), largest_x},
                         StoredIntraCosts{y.size, std::span<const double>(own_y), largest_y}, x.weights, y.weights, c.epsilon};
    if (!c.is_stored) {
      result.source = SquaredDistances{{x.size, x.dimension, std::span<const double>(x.points)}, largest_x};
      result.target = SquaredDistances{{y.size, y.dimension, std::span<const double>(y.points)}, largest_y};
    }
    result.mode = c.mode;
    result.regularisation = c.regularisation;
    return result;
  }
};

GromovSolution solve(const Communicator& comm, const Case& c, Checkpoint* checkpoint, StopAt& stop) {
  const Toy toy(comm, /*is_squared=*/!c.is_stored);
  const GromovProblem problem = toy.problem(c);
  GromovSettings settings;
  settings.max_outer = 60;
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
  EXPECT_EQ(a.gap, b.gap);
  EXPECT_EQ(a.outer, b.outer);
  EXPECT_EQ(a.evaluations, b.evaluations);
  EXPECT_EQ(a.coupling.f, b.coupling.f);
  EXPECT_EQ(a.coupling.g, b.coupling.g);
  EXPECT_EQ(a.coupling.row_sums, b.coupling.row_sums);
  EXPECT_EQ(a.geometry->coupling_rows(a.geometry->rows(), a.coupling.f, a.coupling.g),
            b.geometry->coupling_rows(b.geometry->rows(), b.coupling.f, b.coupling.g));
  expect_equal(a.history, b.history);
}

TEST(GromovCheckpoint, GoesOnToTheSameBitsFromAnyMoment) {
  const auto comm = make_world_communicator();
  for (const Case& c : all_cases()) {
    SCOPED_TRACE(c.name);
    StopAt never;
    const GromovSolution whole = solve(*comm, c, nullptr, never);
    ASSERT_GT(never.questions, 5);
    for (int number = 1; number <= never.questions; number += number < 2 ? 1 : std::max(1, never.questions / 9)) {
      SCOPED_TRACE(number);
      MemoryCheckpoint checkpoint;
      StopAt stop{number}, then;
      const GromovSolution part = solve(*comm, c, &checkpoint, stop);
      if (part.stop_reason != StopReason::interrupted) {  // asked in the last solve to a finer tolerance
        EXPECT_EQ(checkpoint.num_saved, 0);
        continue;
      }
      EXPECT_EQ(checkpoint.num_saved, 1);
      expect_equal(solve(*comm, c, &checkpoint, then), whole);
    }
  }
}

TEST(GromovCheckpoint, IsNotDisturbedByStatesThatAreSaved) {
  const auto comm = make_world_communicator();
  StopAt never, again, once_more;
  const GromovSolution whole = solve(*comm, all_cases().front(), nullptr, never);
  MemoryCheckpoint checkpoint;
  checkpoint.is_asked = comm->is_root();
  expect_equal(solve(*comm, all_cases().front(), &checkpoint, again), whole);
  EXPECT_GT(checkpoint.num_saved, 5);
  expect_equal(solve(*comm, all_cases().front(), &checkpoint, once_more), whole);  // from its last step
  EXPECT_LT(once_more.questions, again.questions);
}

MultiStartSolution solve_starts(const Communicator& comm, std::map<std::string, MemoryCheckpoint>* kept, StopAt& stop) {
  const Toy toy(comm, /*is_squared=*/false);
  const GromovProblem problem = toy.problem(all_cases().front());
  MultiStartSettings settings;
  settings.starts = 4;
  settings.solve.max_outer = 40;
  if (kept != nullptr)
    settings.checkpoint_of = [&, kept](const std::string& start) {
      (*kept)[start].is_asked = comm.is_root();
      return &(*kept)[start];
    };
  return solve_gromov_from_starts({comm, Precision::float64, test_device(), 0}, problem, settings, {}, std::ref(stop));
}

TEST(GromovCheckpoint, KeepsTheStartsThatAreDone) {
  const auto comm = make_world_communicator();
  StopAt never;
  const MultiStartSolution whole = solve_starts(*comm, nullptr, never);
  for (const int share : {2, 5, 8}) {
    SCOPED_TRACE(share);
    std::map<std::string, MemoryCheckpoint> kept;
    StopAt stop{never.questions * share / 9}, then;
    const MultiStartSolution part = solve_starts(*comm, &kept, stop);
    EXPECT_EQ(part.best.stop_reason, StopReason::interrupted);
    const MultiStartSolution rest = solve_starts(*comm, &kept, then);
    expect_equal(rest.best, whole.best);
    EXPECT_EQ(rest.best_start, whole.best_start);
    ASSERT_EQ(rest.starts.size(), whole.starts.size());
    for (std::size_t s = 0; s < rest.starts.size(); ++s) {
      EXPECT_EQ(rest.starts[s].primal, whole.starts[s].primal);
      EXPECT_EQ(rest.starts[s].overlap, whole.starts[s].overlap);
      EXPECT_EQ(rest.starts[s].outer, whole.starts[s].outer);
      expect_equal(rest.starts[s].history, whole.starts[s].history);
    }
    EXPECT_LT(then.questions, never.questions * (10 - share) / 9 + 100);
  }
}

}  // namespace
}  // namespace thalweg
