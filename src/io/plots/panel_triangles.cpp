#include "io/plots/panel_triangles.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>

namespace thalweg {

namespace {

using Vector = std::array<double, 3>;
using Corners = std::array<std::int32_t, 3>;

constexpr double layers = 64.0;  // of depth: triangles of one share paths
constexpr Vector light{-0.35, 0.5, 0.79};
constexpr double in_shade = 0.62, lit = 0.42;

/// Across, up and towards the viewer.
Vector place_of(const PointPanel& panel, std::int32_t point) {
  const auto i = static_cast<std::size_t>(point);
  return {panel.x[i], panel.y[i], panel.depth.empty() ? 0.0 : -panel.depth[i]};
}

Vector difference(const Vector& a, const Vector& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

/// 1 where normals of a closed surface point outwards, -1 inwards; 0: the surface has no outside.
double outside_of(const PointPanel& panel) {
  if (!is_closed(panel.triangles)) return 0.0;
  double volume = 0.0;
  for (const Corners& t : panel.triangles)
    volume += dot(place_of(panel, t[0]), cross(place_of(panel, t[1]), place_of(panel, t[2])));
  return volume > 0.0 ? 1.0 : volume < 0.0 ? -1.0 : 0.0;
}

/// The mean of three colours under the light.
Rgb shaded(const PointPanel& panel, const Corners& t, double brightness) {
  const auto channel = [&](std::uint8_t Rgb::*part) {
    double sum = 0.0;
    for (const std::int32_t corner : t) sum += panel.colors[static_cast<std::size_t>(corner)].*part;
    return static_cast<std::uint8_t>(std::lround(std::min(255.0, brightness * sum / 3.0)));
  };
  return coarse_color({channel(&Rgb::red), channel(&Rgb::green), channel(&Rgb::blue)});
}

double tenth(double value) { return std::round(10.0 * value) / 10.0; }

/// One triangle as a path, its corners rounded to tenths.
std::string outline(const std::array<std::pair<double, double>, 3>& corners) {
  const auto [x, y] = corners[0];
  std::string path = 'M' + svg_number(x) + ' ' + svg_number(y);
  for (std::size_t k = 1; k < 3; ++k) {
    path += k == 1 ? 'l' : ' ';
    path += svg_number(corners[k].first - corners[k - 1].first) + ' ';
    path += svg_number(corners[k].second - corners[k - 1].second);
  }
  return path + 'z';
}

}  // namespace

bool is_closed(const std::vector<Corners>& triangles) {
  std::vector<std::pair<std::int32_t, std::int32_t>> edges, turned;
  for (const Corners& t : triangles)
    for (std::size_t k = 0; k < 3; ++k) {
      edges.emplace_back(t[k], t[(k + 1) % 3]);
      turned.emplace_back(t[(k + 1) % 3], t[k]);
    }
  std::sort(edges.begin(), edges.end());
  std::sort(turned.begin(), turned.end());
  return edges == turned && std::adjacent_find(edges.begin(), edges.end()) == edges.end();
}

void draw_triangles(Svg& svg, const PointPanel& panel,
                    const std::function<std::pair<double, double>(double, double)>& pixel) {
  const double outside = outside_of(panel);
  const auto [nearest, farthest] = std::minmax_element(panel.depth.begin(), panel.depth.end());
  const double thickness = panel.depth.empty() ? 0.0 : *farthest - *nearest;
  std::map<std::pair<int, std::string>, std::string> paths;
  for (const Corners& t : panel.triangles) {
    const Vector a = place_of(panel, t[0]), b = place_of(panel, t[1]), c = place_of(panel, t[2]);
    Vector normal = cross(difference(b, a), difference(c, a));
    const double length = std::sqrt(dot(normal, normal));
    if (length == 0.0 || outside * normal[2] < 0.0) continue;
    const double towards_viewer = normal[2] < 0.0 ? -1.0 : 1.0;
    const double brightness = in_shade + lit * std::max(0.0, towards_viewer * dot(normal, light) / length);
    const double near = thickness > 0.0 ? ((a[2] + b[2] + c[2]) / 3.0 + *farthest) / thickness : 0.0;
    std::array<std::pair<double, double>, 3> corners;
    for (std::size_t k = 0; k < 3; ++k) {
      const Vector place = place_of(panel, t[k]);
      const auto [x, y] = pixel(place[0], place[1]);
      corners[k] = {tenth(x), tenth(y)};
    }
    paths[{static_cast<int>(layers * near), hex(shaded(panel, t, brightness))}] += outline(corners);
  }
  // Neighbours overlap by a hairline, or viewers show the ground between them.
  svg.begin_group({{"stroke-width", 0.5}, {"stroke-linejoin", "round"}});
  for (const auto& [key, path] : paths) svg.path(path, {{"fill", key.second}, {"stroke", key.second}});
  svg.end_group();
}

}  // namespace thalweg
