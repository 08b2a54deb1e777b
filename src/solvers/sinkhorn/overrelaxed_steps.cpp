#include "solvers/sinkhorn/overrelaxed_steps.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

namespace {

constexpr std::int64_t most_plain = 60, least_plain = 4, window = 20;
constexpr double settled_change = 0.02;  // of the distance of the rate from 1
constexpr double divergence = 20.0, damping = 0.7;

double omega_for(double rate) { return 2.0 / (1.0 + std::sqrt(std::max(0.0, 1.0 - rate))); }

}  // namespace

NextPoint OverrelaxedSteps::next(const Iterate& now) {
  ++evaluation_;
  if (omega_ == 1.0) measure_plain_rate(now);
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

void OverrelaxedSteps::measure_plain_rate(const Iterate& now) {
  const double rate = last_residual_ > 0.0 ? now.residual / last_residual_ : 0.0;
  const bool is_settled = std::abs(rate - last_rate_) < settled_change * (1.0 - rate);
  if (evaluation_ > least_plain && rate < 1.0 && (is_settled || evaluation_ >= most_plain)) {
    omega_ = std::min(largest_omega_, omega_for(rate));
    begin_window(now);
  }
  last_residual_ = now.residual;
  last_rate_ = rate;
}

void OverrelaxedSteps::begin_window(const Iterate& now) {
  window_begin_ = evaluation_;
  window_error_ = now.error;
  window_residual_ = now.residual;
}

void OverrelaxedSteps::adapt(const Iterate& now) {
  const bool is_full = evaluation_ - window_begin_ >= window;
  if (!(now.error <= divergence * window_error_) || (is_full && now.residual >= window_residual_)) {
    omega_ = largest_omega_ = 1.0 + damping * (omega_ - 1.0);
    previous_g_.clear();
    begin_window(now);
  } else if (is_full) {
    // The slowest mode has (mu + omega - 1)^2 = omega^2 rate mu.
    const double mu = std::pow(now.residual / window_residual_, 1.0 / static_cast<double>(window)), sum = mu + omega_ - 1.0;
    if (mu > omega_ - 1.0) omega_ = std::clamp(omega_for(sum * sum / (omega_ * omega_ * mu)), omega_, largest_omega_);
    begin_window(now);
  }
}

void OverrelaxedSteps::visit_state(StateVisitor& v) {
  v.scalar("omega", omega_);
  v.scalar("largest_omega", largest_omega_);
  v.scalar("last_residual", last_residual_);
  v.scalar("last_rate", last_rate_);
  v.scalar("evaluation", evaluation_);
  v.scalar("window_begin", window_begin_);
  v.scalar("window_error", window_error_);
  v.scalar("window_residual", window_residual_);
  v.replicated("previous_g", previous_g_);
}

}  // namespace thalweg
