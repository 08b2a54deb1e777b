// Potentials in the plane that are sums of Gaussian bumps and a parabola.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace thalweg {

struct PlanePoint {
  double x = 0.0, y = 0.0;
};

/// height exp(-(x - centre.x)^2 / (2 variance_x) - (y - centre.y)^2 / (2 variance_y)); a well has height < 0.
struct Bump {
  double height;
  PlanePoint centre;
  double variance_x, variance_y;
};

/// V(p) = sum of the bumps + parabola |p|^2, and what a simulation on it needs to know.
struct Landscape {
  std::vector<Bump> bumps;
  double parabola = 0.0;
  double start_variance = 0.1;                                   ///< X_0 ~ N(0, start_variance I)
  std::vector<PlanePoint> types;                                 ///< one centre a type
  std::vector<std::string> names;                                ///< of the types
  double type_radius = std::numeric_limits<double>::infinity();  ///< a particle further from all centres has no type
  bool type_at_end = false;  ///< a particle's type is that of its last state, at all times

  double value(PlanePoint point) const;
  PlanePoint gradient(PlanePoint point) const;
  /// Nearest type, lowest index on ties; -1 beyond type_radius.
  std::int32_t type_of(PlanePoint point) const;
};

/// The point without slope that Newton steps reach from `start`: a minimum, or a saddle where a track forks.
PlanePoint stationary_point(const Landscape& landscape, PlanePoint start);

}  // namespace thalweg
