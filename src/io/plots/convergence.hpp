// Convergence curves of a solve: objective above, residuals below, over sweeps or passes.
#pragma once

#include <string>
#include <vector>

#include "io/plots/plot.hpp"

namespace thalweg {

/// Values y at the sweeps x; missing values are NaN.
struct ConvergenceCurve {
  std::string name;
  std::vector<double> x, y;
};

/// Start of a level or stage.
struct ConvergenceBoundary {
  double x = 0.0;
  std::string label;
};

struct ConvergenceHistory {
  std::string title;
  std::string x_label = "sweep";
  std::vector<ConvergenceCurve> objectives;  ///< log axis if all values are positive, else linear
  std::vector<ConvergenceCurve> residuals;   ///< log axis; values <= 0 are left out and counted in the caption
  std::vector<ConvergenceBoundary> boundaries;
  double tolerance = 0.0;  ///< drawn among the residuals if > 0
};

/// Curves of more than 2000 points are thinned to the least and largest value of each of 1000 stretches.
/// The table has the drawn points (panel, curve, x, y), the boundaries and the tolerance.
/// @throws DataError  if x and y of a curve differ in length
Plot plot_convergence(const ConvergenceHistory& history);

}  // namespace thalweg
