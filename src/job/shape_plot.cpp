#include "job/shape_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "io/plots/panel_triangles.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t most_points = 6000, most_triangles = 20000;  // of closed surfaces, of which half is seen

struct Box {
  std::array<double, 3> low{INFINITY, INFINITY, INFINITY}, high{-INFINITY, -INFINITY, -INFINITY};

  double size(std::size_t axis) const { return high[axis] - low[axis]; }
};

Box box_of(const TriangleMesh& mesh) {
  Box box;
  for (const auto& vertex : mesh.vertices)
    for (std::size_t axis = 0; axis < 3; ++axis) {
      box.low[axis] = std::min(box.low[axis], vertex[axis]);
      box.high[axis] = std::max(box.high[axis], vertex[axis]);
    }
  return box;
}

/// The axes of the file, the longest extent first.
std::array<std::size_t, 3> axes_by_size(const Box& box) {
  std::array<std::size_t, 3> axes{0, 1, 2};
  std::stable_sort(axes.begin(), axes.end(), [&](std::size_t a, std::size_t b) { return box.size(a) > box.size(b); });
  return axes;
}

/// Red, green and blue along the axes of the file.
std::vector<Rgb> position_colors(const TriangleMesh& mesh) {
  const Box box = box_of(mesh);
  std::vector<Rgb> colors;
  for (const auto& vertex : mesh.vertices) {
    std::array<std::uint8_t, 3> channels{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double share = box.size(axis) > 0.0 ? (vertex[axis] - box.low[axis]) / box.size(axis) : 0.5;
      channels[axis] = static_cast<std::uint8_t>(std::lround(25.0 + 205.0 * share));
    }
    colors.push_back({channels[0], channels[1], channels[2]});
  }
  return colors;
}

PointPanel view_of(const Shape& shape, const std::vector<Rgb>& colors, std::array<std::size_t, 3> axes,
                   const std::string& name) {
  constexpr const char* names[3] = {"x", "y", "z"};
  PointPanel panel;
  panel.name = name;
  panel.x_label = names[axes[0]];
  panel.y_label = names[axes[1]];
  const bool is_drawn_whole =
      shape.mesh.num_triangles() <= (is_closed(shape.mesh.triangles) ? most_triangles : most_triangles / 2);
  if (is_drawn_whole) panel.triangles = shape.mesh.triangles;
  const std::int64_t stride = is_drawn_whole ? 1 : (shape.num_vertices() + most_points - 1) / most_points;
  const double towards_viewer = (axes[1] + 3 - axes[0]) % 3 == 1 ? 1.0 : -1.0;  // no mirror image
  for (std::int64_t i = 0; i < shape.num_vertices(); i += stride) {
    const auto& vertex = shape.mesh.vertices[static_cast<std::size_t>(i)];
    panel.x.push_back(vertex[axes[0]]);
    panel.y.push_back(vertex[axes[1]]);
    panel.depth.push_back(-towards_viewer * vertex[axes[2]]);
    panel.colors.push_back(colors[static_cast<std::size_t>(i)]);
    panel.ids.push_back(i);
  }
  return panel;
}

}  // namespace

Plot shape_plot(const Shape& source, const Shape& target, const Partners& of_targets) {
  const std::vector<Rgb> own = position_colors(source.mesh);
  std::vector<Rgb> carried;
  for (const std::int64_t match : of_targets.match) carried.push_back(own[static_cast<std::size_t>(match)]);
  const auto [first, second, third] = axes_by_size(box_of(source.mesh));
  PointPanelsLook look;
  look.title = "Vertices of the target in the colours of their matches on the source";
  look.dot = std::min(source.num_vertices(), most_points) < 3000 ? 6.0 : 4.2;
  look.caption = "Red, green and blue are the coordinates of the source along its axes.";
  return plot_point_panels(look, {view_of(source, own, {first, second, third}, "source"),
                                  view_of(source, own, {first, third, second}, "source, from another side"),
                                  view_of(target, carried, {first, second, third}, "target"),
                                  view_of(target, carried, {first, third, second}, "target, from another side")});
}

}  // namespace thalweg
