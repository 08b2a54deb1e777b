#include "job/simulation/tristable.hpp"

namespace thalweg {

Landscape tristable_landscape() {
  constexpr double ridge_width = 0.6, well_width = 0.7;
  Landscape landscape;
  landscape.start_variance = 0.1;
  landscape.types = {{-3.0, 0.0}, {2.0, 2.0}, {2.0, -2.0}};
  landscape.names = {"left", "upper", "lower"};
  landscape.type_at_end = true;
  for (const double y : {-2.0, 2.0}) {
    landscape.bumps.push_back({2.0, {0.0, y}, ridge_width * ridge_width, 2.0 * ridge_width * ridge_width});
  }
  for (const PlanePoint well : landscape.types) {
    landscape.bumps.push_back({-5.0, well, well_width * well_width, well_width * well_width});
  }
  return landscape;
}

LangevinParameters tristable_parameters() {
  return {.particles = 300, .steps = 400, .dt = 0.02, .diffusion = 0.01, .snapshots = {0, 200, 399}};
}

}  // namespace thalweg
