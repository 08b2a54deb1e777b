// Which epsilon the iteration goes through.
#pragma once

#include <vector>

#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// Falling values above `epsilon`, from `epsilon_start` or else the mean cost; none when that is below.
std::vector<double> annealing_levels(const SinkhornSettings& settings, double epsilon, double mean_cost);

/// Whether exponents need more digits than float32 has.
bool is_too_small_for_float32(double epsilon, double mean_cost);

/// Warns of the evaluations to expect of an epsilon that is too small for float32.
/// @throws ConfigError where even float64 has too few digits
void check_small_epsilon(double epsilon, double mean_cost);

}  // namespace thalweg
