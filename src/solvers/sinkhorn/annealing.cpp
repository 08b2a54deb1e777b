#include "solvers/sinkhorn/annealing.hpp"

#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

// Shares of the mean cost.
constexpr double least_for_float32 = 1e-6, least_for_float64 = 1e-10;
constexpr double evaluations_at_unit_epsilon = 11.0;  // grows as 1 / sqrt(epsilon); measured to 1e-6 on mixtures

}  // namespace

std::vector<double> annealing_levels(const SinkhornSettings& settings, double epsilon, double mean_cost) {
  std::vector<double> levels;
  for (double level = settings.epsilon_start.value_or(mean_cost); level > epsilon * (1.0 + 1e-9); level *= settings.anneal_factor)
    levels.push_back(level);
  return levels;
}

bool is_too_small_for_float32(double epsilon, double mean_cost) { return epsilon < least_for_float32 * mean_cost; }

void check_small_epsilon(double epsilon, double mean_cost) {
  if (!is_too_small_for_float32(epsilon, mean_cost)) return;
  const std::string share = rounded_number(epsilon / mean_cost);
  if (epsilon < least_for_float64 * mean_cost)
    throw ConfigError("epsilon = " + shortest_number(epsilon) + " is " + share + " of the mean cost; too small for entropic transport, which needs at least 1e-10 of it: " +
                      "use exact transport (hiref) or a larger epsilon");
  log_warning("small_epsilon", "epsilon is " + share + " of the mean cost; float64 is used, and about " +
              rounded_number(evaluations_at_unit_epsilon / std::sqrt(epsilon / mean_cost), 2) + " evaluations are needed");
}

}  // namespace thalweg
