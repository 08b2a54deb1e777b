// Seconds until an error reaches its tolerance.
#pragma once

#include <deque>
#include <optional>

namespace thalweg {

/// Extrapolates log(error) linearly over the last 20 checks.
class EtaEstimator {
 public:
  /// Forgets earlier checks: at a new problem or level.
  void restart() { checks_.clear(); }
  /// Errors that are not positive and finite are left out.
  void add(double seconds, double error);
  /// Seconds from the last check until the line reaches `tolerance`; nothing before 5 checks or while
  /// the error does not fall.
  std::optional<double> seconds_left(double tolerance) const;

 private:
  struct Check {
    double seconds;
    double log_error;
  };
  std::deque<Check> checks_;
};

}  // namespace thalweg
