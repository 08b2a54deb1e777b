#include "geometry/surface_graph.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "distributed/error.hpp"
#include "geometry/graph_search.hpp"

namespace thalweg {
namespace {

/// Two triangles about the edge 0-1, which lies on the x axis; the others above and below it, folded by an angle.
TriangleMesh hinge(double up_x, double down_x, double fold) {
  TriangleMesh mesh;
  mesh.vertices = {{0, 0, 0}, {1, 0, 0}, {up_x, 1, 0}, {down_x, -std::cos(fold), std::sin(fold)}};
  mesh.triangles = {{0, 1, 2}, {1, 0, 3}};
  return mesh;
}

/// A square of (n + 1)^2 vertices, each small square cut along the same diagonal.
TriangleMesh square(int n) {
  TriangleMesh mesh;
  for (int i = 0; i <= n; ++i)
    for (int j = 0; j <= n; ++j) mesh.vertices.push_back({1.0 * i / n, 1.0 * j / n, 0.0});
  const auto at = [n](int i, int j) { return static_cast<std::int32_t>(i * (n + 1) + j); };
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      mesh.triangles.push_back({at(i, j), at(i + 1, j), at(i + 1, j + 1)});
      mesh.triangles.push_back({at(i, j), at(i + 1, j + 1), at(i, j + 1)});
    }
  return mesh;
}

double distance(const Graph& graph, std::int32_t from, std::int32_t to) {
  return GraphSearch(graph).from(from)[static_cast<std::size_t>(to)];
}

TEST(SurfaceGraph, SharesTheAreaAmongVertices) {
  const std::vector<double> areas = vertex_areas(square(3));
  EXPECT_NEAR(std::accumulate(areas.begin(), areas.end(), 0.0), 1.0, 1e-14);
  EXPECT_NEAR(areas[0], 2.0 / 54.0, 1e-14);  // of two triangles, each 1 / 18 of the square
  EXPECT_NEAR(areas[3], 1.0 / 54.0, 1e-14);
  EXPECT_NEAR(areas[5], 6.0 / 54.0, 1e-14);
  TriangleMesh flat = square(1);
  for (auto& vertex : flat.vertices) vertex = {1.0, 1.0, 1.0};
  EXPECT_THROW(vertex_areas(flat), DataError);
}

TEST(SurfaceGraph, JoinsOppositeVerticesOverTheEdgeLaidFlat) {
  for (const double fold : {0.0, 0.5, 2.0})  // the fold does not change lengths on the surface
    EXPECT_NEAR(distance(surface_graph(hinge(0.3, 0.8, fold), true), 2, 3), std::hypot(0.5, 2.0), 1e-14);
  EXPECT_NEAR(distance(surface_graph(hinge(0.3, 0.8, 0.0), false), 2, 3), std::hypot(0.7, 1.0) + std::hypot(0.2, 1.0),
              1e-14);  // by vertex 1
}

TEST(SurfaceGraph, DoesNotJoinThemBesideTheEdge) {
  const Graph graph = surface_graph(hinge(1.6, 1.2, 0.0), true);  // the segment would cross the line beyond vertex 1
  EXPECT_EQ(graph.columns.size(), 10u);
  EXPECT_NEAR(distance(graph, 2, 3), std::hypot(0.6, 1.0) + std::hypot(0.2, 1.0), 1e-14);
}

TEST(SurfaceGraph, DoesNotCrossEdgesOfThreeTriangles) {
  TriangleMesh mesh = hinge(0.3, 0.8, 0.5);
  mesh.vertices.push_back({0.5, 0.0, 1.0});
  mesh.triangles.push_back({0, 1, 4});
  EXPECT_EQ(surface_graph(mesh, true).columns.size(), surface_graph(mesh, false).columns.size());
}

TEST(SurfaceGraph, UnfoldedPathsErrLess) {
  const TriangleMesh mesh = square(12);
  const auto worst_error = [&](bool unfolded) {
    const Graph graph = surface_graph(mesh, unfolded);
    GraphSearch search(graph);
    const auto found = search.from(0);
    double worst = 0.0;
    for (std::size_t i = 1; i < found.size(); ++i) {
      const double exact = std::hypot(mesh.vertices[i][0], mesh.vertices[i][1]);
      EXPECT_GE(found[i], exact - 1e-12);
      worst = std::max(worst, found[i] / exact - 1.0);
    }
    return worst;
  };
  EXPECT_LT(worst_error(true), 0.06);
  EXPECT_GT(worst_error(false), 0.07);
}

}  // namespace
}  // namespace thalweg
