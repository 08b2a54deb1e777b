#include "geometry/surface_graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

using Point = std::array<double, 3>;

double distance(const Point& x, const Point& y) { return std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]); }

double area_of(const Point& x, const Point& y, const Point& z) {
  const Point u{y[0] - x[0], y[1] - x[1], y[2] - x[2]}, v{z[0] - x[0], z[1] - x[1], z[2] - x[2]};
  return 0.5 * std::hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
}

/// An edge with the vertex opposite it in one of its triangles.
struct Side {
  std::int32_t from = 0, to = 0, opposite = 0;  // from < to
};

/// Sides of all triangles, those of one edge together; sides of no length are left out.
std::vector<Side> sides_of(const TriangleMesh& mesh) {
  std::vector<Side> sides;
  sides.reserve(3 * mesh.triangles.size());
  for (const auto& corners : mesh.triangles)
    for (std::size_t k = 0; k < 3; ++k) {
      const auto [low, high] = std::minmax(corners[k], corners[(k + 1) % 3]);
      if (low != high) sides.push_back({low, high, corners[(k + 2) % 3]});
    }
  std::sort(sides.begin(), sides.end(), [](const Side& a, const Side& b) {
    return std::tie(a.from, a.to, a.opposite) < std::tie(b.from, b.to, b.opposite);
  });
  return sides;
}

/// Place of a third vertex in the plane where the edge runs from (0, 0) to (length, 0).
struct Flat {
  double along = 0.0, height = 0.0;
};

Flat laid_flat(double length, double to_from, double to_to) {
  const double along = (length * length + to_from * to_from - to_to * to_to) / (2.0 * length);
  return {along, std::sqrt(std::max(0.0, to_from * to_from - along * along))};
}

/// Length of the segment between the vertices opposite an edge, its triangles laid flat on either side of it; infinite
/// where the segment does not cross the edge.
double unfolded_length(const TriangleMesh& mesh, const Side& one, const Side& other) {
  const auto at = [&](std::int32_t vertex) { return mesh.vertices[static_cast<std::size_t>(vertex)]; };
  const Point from = at(one.from), to = at(one.to), above = at(one.opposite), below = at(other.opposite);
  const double length = distance(from, to);
  constexpr double none = std::numeric_limits<double>::infinity();
  if (!(length > 0.0)) return none;
  const Flat up = laid_flat(length, distance(above, from), distance(above, to));
  const Flat down = laid_flat(length, distance(below, from), distance(below, to));
  const double height = up.height + down.height;
  if (!(height > 0.0)) return none;
  const double crossing = (up.along * down.height + down.along * up.height) / height;
  if (crossing < 0.0 || crossing > length) return none;
  return std::hypot(up.along - down.along, height);
}

}  // namespace

std::vector<double> vertex_areas(const TriangleMesh& mesh) {
  std::vector<double> areas(mesh.vertices.size(), 0.0);
  double total = 0.0;
  for (const auto& corners : mesh.triangles) {
    const auto at = [&](std::size_t k) { return mesh.vertices[static_cast<std::size_t>(corners[k])]; };
    const double area = area_of(at(0), at(1), at(2));
    total += area;
    for (const std::int32_t corner : corners) areas[static_cast<std::size_t>(corner)] += area / 3.0;
  }
  if (!(total > 0.0)) throw DataError("all triangles of a surface have area 0; vertices must differ; check its file");
  for (double& area : areas) area /= total;
  return areas;
}

Graph surface_graph(const TriangleMesh& mesh, bool unfolded) {
  const std::vector<Side> sides = sides_of(mesh);
  std::vector<Edge> edges;
  for (std::size_t first = 0, last = 0; first < sides.size(); first = last) {
    const Side& side = sides[first];
    while (last < sides.size() && sides[last].from == side.from && sides[last].to == side.to) ++last;
    edges.push_back({side.from, side.to,
                     distance(mesh.vertices[static_cast<std::size_t>(side.from)],
                              mesh.vertices[static_cast<std::size_t>(side.to)])});
    if (!unfolded || last - first != 2) continue;
    const auto [low, high] = std::minmax(side.opposite, sides[first + 1].opposite);
    const double length = unfolded_length(mesh, side, sides[first + 1]);
    if (low != high && std::isfinite(length)) edges.push_back({low, high, length});
  }
  return graph_of_edges(mesh.num_vertices(), std::move(edges), EdgeWeight::distance);
}

}  // namespace thalweg
