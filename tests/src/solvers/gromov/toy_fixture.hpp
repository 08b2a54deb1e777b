// The small problem in every form of its costs, in float64.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/test_device.hpp"
#include "toy.hpp"

namespace thalweg::testing_support {

class ToyFixture : public ::testing::Test {
 protected:
  GromovProblem stored(bool is_squared, double epsilon = 0.02) const {
    const double divisor = is_squared ? 8.0 : 4.0;
    return {StoredIntraCosts{24, std::span<const double>(is_squared ? a2_ : a_), divisor},
            StoredIntraCosts{20, std::span<const double>(is_squared ? b2_ : b_), divisor}, x_.weights, y_.weights,
            epsilon};
  }
  GromovProblem squares() const {
    return {SquaredDistances{{24, 3, std::span<const double>(x_.points)}, 8.0},
            SquaredDistances{{20, 4, std::span<const double>(y_.points)}, 8.0}, x_.weights, y_.weights, 0.02};
  }
  static Vector coupling_of(const GromovSolution& solution) {
    return solution.geometry->coupling_rows({0, 24}, solution.coupling.f, solution.coupling.g);
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  Context context_{*comm_, Precision::float64, test_device(), 0};
  ToySide x_ = toy_source(), y_ = toy_target();
  Vector a_ = x_.distances(false), b_ = y_.distances(false), a2_ = x_.distances(true), b2_ = y_.distances(true);
};

}  // namespace thalweg::testing_support
