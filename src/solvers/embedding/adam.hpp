// The Adam optimiser with clipped gradients.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

struct AdamSettings {
  double learning_rate = 1e-3;
  double clip = 1.0;          // largest norm of a gradient; longer ones are shortened to it
  double weight_decay = 0.0;  // of the penalty decay |w|^2 / 2
};

/// Moments of the gradients so far.
struct AdamState {
  std::int64_t steps = 0;
  std::vector<double> first, second;
};

double norm_of(std::span<const double> values);

/// Moves the weights by one step:
///
///   g = clipped gradient + decay w,   m <- .9 m + .1 g,   v <- .999 v + .001 g^2
///   w <- w - rate m / (1 - .9^t) / ((v / (1 - .999^t))^(1/2) + 1e-8)
///
/// Source: Kingma & Ba (2015), Adam.
void adam_step(const AdamSettings& settings, std::span<const double> gradient, AdamState& state,
               std::span<double> weights);

}  // namespace thalweg
