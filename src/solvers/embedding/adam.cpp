#include "solvers/embedding/adam.hpp"

#include <cmath>

namespace thalweg {

namespace {

constexpr double keep_first = 0.9, keep_second = 0.999, floor_of_root = 1e-8;

}  // namespace

double norm_of(std::span<const double> values) {
  double sum = 0.0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

void adam_step(const AdamSettings& settings, std::span<const double> gradient, AdamState& state,
               std::span<double> weights) {
  state.first.resize(weights.size(), 0.0);
  state.second.resize(weights.size(), 0.0);
  ++state.steps;
  const double norm = norm_of(gradient), factor = norm > settings.clip ? settings.clip / norm : 1.0;
  const double first_share = 1.0 - std::pow(keep_first, static_cast<double>(state.steps));
  const double second_share = 1.0 - std::pow(keep_second, static_cast<double>(state.steps));
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double g = factor * gradient[k] + settings.weight_decay * weights[k];
    state.first[k] = keep_first * state.first[k] + (1.0 - keep_first) * g;
    state.second[k] = keep_second * state.second[k] + (1.0 - keep_second) * g * g;
    const double direction = state.first[k] / first_share / (std::sqrt(state.second[k] / second_share) + floor_of_root);
    weights[k] -= settings.learning_rate * direction;
  }
}

}  // namespace thalweg
