// Successive over-relaxation of Sinkhorn's two half steps, written in g alone.
#pragma once

#include <limits>

#include "solvers/sinkhorn/acceleration.hpp"

namespace thalweg {

/// Relaxing both half steps by omega is, with f eliminated,
///
///   g_k+1 = g_k + omega^2 (g_k+ - g_k) + (omega - 1)^2 (g_k - g_k-1),   omega = 2 / (1 + sqrt(1 - rate))
///
/// `rate` is that of plain updates, measured until it changes by less than 2 %, at most over 60; the relaxed iteration
/// then has the rate omega - 1. A slower one tells the true rate by Young's relation and omega is raised.
/// Source: Young (1971), Iterative solution of large linear systems, ch. 6; Lehmann et al. (2022), A note on
/// overrelaxation in the Sinkhorn algorithm; docs/math.md.
class OverrelaxedSteps : public Accelerator {
 public:
  NextPoint next(const Iterate& now) override;

 private:
  void measure_plain_rate(double residual);
  void adapt(const Iterate& now);

  double omega_ = 1.0;
  double start_error_ = 0.0;
  double last_residual_ = 0.0, last_rate_ = 0.0;
  double window_residual_ = 0.0;  // at the start of the window over which the relaxed rate is observed
  std::int64_t evaluation_ = 0, window_begin_ = 0;
  std::vector<double> previous_g_;
};

}  // namespace thalweg
