// Successive over-relaxation of Sinkhorn's two half steps, written in g alone.
#pragma once

#include "solvers/sinkhorn/acceleration.hpp"

namespace thalweg {

/// Relaxing both half steps by omega is, with f eliminated,
///
///   g_k+1 = g_k + omega^2 (g_k+ - g_k) + (omega - 1)^2 (g_k - g_k-1),   omega = 2 / (1 + sqrt(1 - rate))
///
/// `rate` is that of plain updates, measured until it changes by less than 2 %, at most over 60; the relaxed iteration
/// then has the rate omega - 1. A slower one tells the true rate by Young's relation and omega is raised. Where the error
/// grows twentyfold or the residual does not fall in 20 evaluations, omega <- 1 + 0.7 (omega - 1) and stays below.
/// Source: Young (1971), Iterative solution of large linear systems, ch. 6; Lehmann et al. (2022), A note on
/// overrelaxation in the Sinkhorn algorithm; docs/math.md.
class OverrelaxedSteps : public Accelerator {
 public:
  NextPoint next(const Iterate& now) override;
  void visit_state(StateVisitor& v) override;

 private:
  void measure_plain_rate(const Iterate& now);
  void begin_window(const Iterate& now);
  void adapt(const Iterate& now);

  double omega_ = 1.0, largest_omega_ = 1.985;
  double last_residual_ = 0.0, last_rate_ = 0.0;
  std::int64_t evaluation_ = 0, window_begin_ = 0;
  double window_error_ = 0.0, window_residual_ = 0.0;
  std::vector<double> previous_g_;
};

}  // namespace thalweg
