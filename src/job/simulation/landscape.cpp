#include "job/simulation/landscape.hpp"

#include <cmath>

namespace thalweg {
namespace {

struct Hessian {
  double xx, xy, yy;
};

Hessian hessian(const Landscape& landscape, PlanePoint point) {
  Hessian sum{2.0 * landscape.parabola, 0.0, 2.0 * landscape.parabola};
  for (const auto& [height, centre, variance_x, variance_y] : landscape.bumps) {
    const double x = (point.x - centre.x) / variance_x, y = (point.y - centre.y) / variance_y;
    const double bump = height * std::exp(-0.5 * (x * x * variance_x + y * y * variance_y));
    sum.xx += bump * (x * x - 1.0 / variance_x);
    sum.xy += bump * x * y;
    sum.yy += bump * (y * y - 1.0 / variance_y);
  }
  return sum;
}

}  // namespace

double Landscape::value(PlanePoint point) const {
  double sum = parabola * (point.x * point.x + point.y * point.y);
  for (const auto& [height, centre, variance_x, variance_y] : bumps) {
    const double x = point.x - centre.x, y = point.y - centre.y;
    sum += height * std::exp(-0.5 * (x * x / variance_x + y * y / variance_y));
  }
  return sum;
}

PlanePoint Landscape::gradient(PlanePoint point) const {
  PlanePoint sum{2.0 * parabola * point.x, 2.0 * parabola * point.y};
  for (const auto& [height, centre, variance_x, variance_y] : bumps) {
    const double x = (point.x - centre.x) / variance_x, y = (point.y - centre.y) / variance_y;
    const double exponent = 0.5 * (x * x * variance_x + y * y * variance_y);
    if (exponent > 40.0) continue;  // below 1e-17 of the height
    const double bump = height * std::exp(-exponent);
    sum.x -= bump * x;
    sum.y -= bump * y;
  }
  return sum;
}

std::int32_t Landscape::type_of(PlanePoint point) const {
  std::int32_t nearest = -1;
  double smallest = type_radius;
  for (std::size_t k = 0; k < types.size(); ++k) {
    const double distance = std::hypot(point.x - types[k].x, point.y - types[k].y);
    if (distance < smallest) {
      smallest = distance;
      nearest = static_cast<std::int32_t>(k);
    }
  }
  return nearest;
}

PlanePoint stationary_point(const Landscape& landscape, PlanePoint start) {
  PlanePoint point = start;
  for (int step = 0; step < 50; ++step) {
    const PlanePoint slope = landscape.gradient(point);
    const Hessian h = hessian(landscape, point);
    const double determinant = h.xx * h.yy - h.xy * h.xy;
    if (determinant == 0.0) break;
    point.x -= (h.yy * slope.x - h.xy * slope.y) / determinant;
    point.y -= (h.xx * slope.y - h.xy * slope.x) / determinant;
  }
  return point;
}

}  // namespace thalweg
