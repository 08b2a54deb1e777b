// Stored costs: two linear costs are all that there is of matrices sources x targets.
#include <gtest/gtest.h>

#include "solvers/gromov/column_panels.hpp"
#include "solvers/gromov/gromov.hpp"
#include "solvers/gromov/multi_start.hpp"
#include "tests/support/counted_memory.hpp"
#include "toy.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

constexpr std::int64_t n = 1500, m = 1300;

/// Hop counts along a bent line; the rows of this rank.
std::vector<std::uint8_t> hops(const Communicator& comm, std::int64_t size, double bend) {
  const RowRange rows = Partition(size, comm.size(), block_rows).rows_of(comm.rank());
  std::vector<std::uint8_t> values;
  for (std::int64_t i = rows.begin; i < rows.end; ++i)
    for (std::int64_t k = 0; k < size; ++k) {
      const double x = static_cast<double>(i) / static_cast<double>(size),
                   y = static_cast<double>(k) / static_cast<double>(size);
      values.push_back(static_cast<std::uint8_t>(std::round(9.0 * std::abs(x - y + bend * (x * x - y * y)))));
    }
  return values;
}

class GromovMemory : public ::testing::Test {
 protected:
  /// Largest bytes beside what there was before, of a problem of the world's ranks.
  template <class Solve>
  std::int64_t peak_of(const Solve& solve) const {
    const Vector a(n, 1.0 / n), b(m, 1.0 / m);
    const GromovProblem problem{StoredIntraCosts{n, std::span<const std::uint8_t>(x_), 9.0},
                                StoredIntraCosts{m, std::span<const std::uint8_t>(y_), 9.0}, a, b, 0.02};
    const std::int64_t before = live_bytes;
    peak_bytes = before;
    solve(problem);
    return peak_bytes - before;
  }
  /// The rank's rows of one cost between the sides, with padding.
  std::int64_t cost_bytes() const {
    const std::int64_t rows = Partition(n, comm_->size(), block_rows).rows_of(comm_->rank()).size();
    return CostTiles<float>(rows, m).size() * 4;
  }
  /// Panels of products, those of the threads, strips of exponentials, vectors.
  std::int64_t other_bytes() const {
    const std::int64_t threads = num_threads(), panels = widest_columns * (m * 5 + 2 * n * 4);
    return panels + threads * (block_rows * (1024 * 4 + widest_columns * 16) + 64 * m * 4) + 100 * 8 * (n + m);
  }
  static std::int64_t num_threads() {
    const char* given = std::getenv("OMP_NUM_THREADS");
    return given ? std::atoll(given) : 256;
  }

  std::unique_ptr<Communicator> comm_ = make_world_communicator();
  Context context_{*comm_, Precision::float32, Device::cpu, 0};
  std::vector<std::uint8_t> x_ = hops(*comm_, n, 0.2), y_ = hops(*comm_, m, 0.5);
};

TEST_F(GromovMemory, HoldsTwoLinearCosts) {
  StopReason reason = StopReason::interrupted;
  const std::int64_t peak = peak_of([&](const GromovProblem& problem) {
    GromovSettings settings;
    settings.inner_tolerance = 1e-5;
    const GromovSolution solution = solve_gromov(context_, problem, settings);
    reason = solution.stop_reason;
  });
  EXPECT_EQ(reason, StopReason::converged);
  EXPECT_LE(peak, 2 * cost_bytes() + other_bytes());
  EXPECT_GE(peak, 2 * cost_bytes());
}

TEST_F(GromovMemory, HoldsOneMoreForTheBestStart) {
  const std::int64_t peak = peak_of([&](const GromovProblem& problem) {
    MultiStartSettings settings;
    settings.solve.inner_tolerance = 1e-5;
    settings.starts = 2;
    settings.wants_bounds = false;
    solve_gromov_from_starts(context_, problem, settings);
  });
  EXPECT_LE(peak, 3 * cost_bytes() + other_bytes() + 2 * 512 * m * 4);
  EXPECT_GE(peak, 3 * cost_bytes());
}

}  // namespace
}  // namespace thalweg
