// Test data with known truth.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

/// "auto" and an empty `snapshots` stand for the model's own value. The seed is run.seed.
struct SimulateOptions {
  std::string model = "tristable";
  std::int64_t particles = 300;
  Auto<std::int64_t> steps = {};
  Auto<double> dt = {};
  Auto<double> diffusion = {};
  std::vector<std::int64_t> snapshots = {};
  double noise = 0.0;
  std::int64_t embed_dim = 0;
  std::int64_t components = 10;
  std::int64_t dimensions = 32;
  std::int64_t cells = 10000;
  std::int64_t times = 3;
  double separation = 4.0;
  double drift = 1.5;

  static constexpr const char* section = "simulate";
  static constexpr const char* about = "test data with known truth";
  static void describe(auto& field) {
    using namespace rules;
    field("model", &SimulateOptions::model, "Langevin motion in a potential, or a drifting Gaussian mixture",
          one_of({"tristable", "volcano", "mixture"}));
    field("particles", &SimulateOptions::particles, "particles of a potential model", at_least(1));
    field("steps", &SimulateOptions::steps, "states of a trajectory, the first included", at_least(1));
    field("dt", &SimulateOptions::dt, "time step", positive);
    field("D", &SimulateOptions::diffusion, "diffusion coefficient", non_negative);
    field("snapshots", &SimulateOptions::snapshots, "states written; empty: the model's", non_negative);
    field("noise", &SimulateOptions::noise, "standard deviation of the measurement", non_negative);
    field("embed_dim", &SimulateOptions::embed_dim,
          "dimensions of a random orthonormal lift with unit noise in the others; 0: none", non_negative);
    field("components", &SimulateOptions::components, "components of the mixture", at_least(1));
    field("dimensions", &SimulateOptions::dimensions, "dimensions of the mixture", at_least(1));
    field("cells", &SimulateOptions::cells, "cells of the mixture per time", at_least(1));
    field("times", &SimulateOptions::times, "times of the mixture", at_least(1));
    field("separation", &SimulateOptions::separation, "norm of the centres of the mixture", non_negative);
    field("drift", &SimulateOptions::drift, "norm of the drift of a component per time", non_negative);
  }
};

}  // namespace thalweg
