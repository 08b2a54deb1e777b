#include "job/simulation/volcano.hpp"

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

namespace thalweg {
namespace {

PlanePoint polar(double radius, double degrees) {
  const double angle = degrees * std::numbers::pi / 180.0;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

void add_well(Landscape& landscape, PlanePoint centre, double depth, double width) {
  landscape.bumps.push_back({-depth, centre, width * width, width * width});
}

void add_path(Landscape& landscape, PlanePoint from, PlanePoint to, int parts) {
  for (int j = 1; j < parts; ++j) {
    const double fraction = static_cast<double>(j) / parts;
    add_well(landscape, {from.x + fraction * (to.x - from.x), from.y + fraction * (to.y - from.y)}, 0.5, 0.7);
  }
}

/// Wells by ring, each ring counted by angle.
struct Rings {
  std::vector<PlanePoint> first, second, third;
};

Rings add_tracks(Landscape& landscape) {
  constexpr double well_width = 1.1;
  Rings rings;
  for (const double degrees : {0.0, 120.0, 240.0}) {
    const PlanePoint first = polar(2.4, degrees);
    rings.first.push_back(first);
    add_well(landscape, first, 3.0, well_width);
    add_path(landscape, {}, first, 5);
    for (const double turn : {-30.0, 30.0}) {
      const PlanePoint second = polar(4.8, degrees + turn), third = polar(8.8, degrees + turn);
      rings.second.push_back(second);
      rings.third.push_back(third);
      add_well(landscape, second, 2.8, well_width);
      add_path(landscape, first, second, 5);
      add_well(landscape, third, 3.6, well_width);
      add_path(landscape, second, third, 4);
    }
  }
  return rings;
}

void add_types(Landscape& landscape, const std::vector<PlanePoint>& wells, const std::string& ring) {
  for (std::size_t k = 0; k < wells.size(); ++k) {
    landscape.types.push_back(stationary_point(landscape, wells[k]));
    landscape.names.push_back(ring + "_" + std::to_string(k));
  }
}

}  // namespace

Landscape volcano_landscape() {
  Landscape landscape;
  landscape.start_variance = 0.15;
  landscape.parabola = -5.0 / (12.0 * 12.0);
  landscape.type_radius = 1.6;
  landscape.bumps.push_back({8.0, {0.0, 0.0}, 2.6 * 2.6, 2.6 * 2.6});
  const Rings rings = add_tracks(landscape);
  add_types(landscape, rings.first, "first");
  add_types(landscape, rings.second, "second");
  add_types(landscape, rings.third, "third");
  return landscape;
}

LangevinParameters volcano_parameters() {
  return {.particles = 2000, .steps = 4000, .dt = 0.2, .diffusion = 0.014, .snapshots = {16, 89, 3500}};
}

}  // namespace thalweg
