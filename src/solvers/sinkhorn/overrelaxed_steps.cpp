#include "solvers/sinkhorn/overrelaxed_steps.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr std::int64_t most_plain = 60, least_plain = 4, window = 20;
constexpr double settled_change = 0.02;
constexpr double largest_omega = 1.985;
constexpr double divergence = 20.0, damping = 0.7;

double omega_for(double rate) {
  return std::min(largest_omega, 2.0 / (1.0 + std::sqrt(std::max(0.0, 1.0 - rate))));
}

}  // namespace

NextPoint OverrelaxedSteps::next(const Iterate& now) {
  ++evaluation_;
  if (omega_ == 1.0) measure_plain_rate(now.residual);
  if (omega_ == 1.0) return {now.image};
  adapt(now);
  NextPoint result{now.image, true};
  const double gain = omega_ * omega_, momentum = (omega_ - 1.0) * (omega_ - 1.0);
  for (std::size_t j = 0; j < result.g.size(); ++j) {
    const double last_step = previous_g_.empty() ? 0.0 : now.g[j] - previous_g_[j];
    result.g[j] = now.g[j] + gain * (now.image[j] - now.g[j]) + momentum * last_step;
  }
  previous_g_ = now.g;
  return result;
}

void OverrelaxedSteps::measure_plain_rate(double residual) {
  const double rate = last_residual_ > 0.0 ? residual / last_residual_ : 0.0;
  const bool is_settled = std::abs(rate - last_rate_) < settled_change * (1.0 - rate);
  if (evaluation_ > least_plain && rate < 1.0 && (is_settled || evaluation_ >= most_plain)) {
    omega_ = omega_for(rate);
    start_error_ = 0.0;
  }
  last_residual_ = residual;
  last_rate_ = rate;
}

void OverrelaxedSteps::adapt(const Iterate& now) {
  if (start_error_ == 0.0) start_error_ = now.error;
  if (!(now.error <= divergence * start_error_)) {
    omega_ = 1.0 + damping * (omega_ - 1.0);
    start_error_ = 0.0;
    previous_g_.clear();
    window_begin_ = 0;
    return;
  }
  if (window_begin_ == 0 || evaluation_ - window_begin_ >= window) {
    if (window_begin_ > 0) {
      const double steps = static_cast<double>(evaluation_ - window_begin_);
      const double seen = std::pow(now.residual / window_residual_, 1.0 / steps);
      // (mu + omega - 1)^2 = omega^2 rate mu for the slowest mode.
      const double root = seen + omega_ - 1.0;
      if (seen > omega_ - 1.0 && seen < 1.0) omega_ = std::max(omega_, omega_for(std::min(1.0, root * root / (omega_ * omega_ * seen))));
    }
    window_begin_ = evaluation_;
    window_residual_ = now.residual;
  }
}

}  // namespace thalweg
