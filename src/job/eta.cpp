#include "job/eta.hpp"

#include <algorithm>
#include <cmath>

namespace thalweg {

void EtaEstimator::add(double seconds, double error) {
  if (!std::isfinite(error) || error <= 0.0) return;
  checks_.push_back({seconds, std::log(error)});
  if (checks_.size() > 20) checks_.pop_front();
}

std::optional<double> EtaEstimator::seconds_left(double tolerance) const {
  if (checks_.size() < 5 || !(tolerance > 0.0)) return std::nullopt;
  const auto count = static_cast<double>(checks_.size());
  double mean_t = 0.0, mean_y = 0.0, covariance = 0.0, variance = 0.0;
  for (const Check& check : checks_) {
    mean_t += check.seconds / count;
    mean_y += check.log_error / count;
  }
  for (const Check& check : checks_) {
    covariance += (check.seconds - mean_t) * (check.log_error - mean_y);
    variance += (check.seconds - mean_t) * (check.seconds - mean_t);
  }
  if (!(covariance < 0.0) || !(variance > 0.0)) return std::nullopt;
  const double slope = covariance / variance;
  const double reached = mean_t + (std::log(tolerance) - mean_y) / slope;
  return std::max(0.0, reached - checks_.back().seconds);
}

}  // namespace thalweg
