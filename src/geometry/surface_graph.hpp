// Distances along a surface of triangles: its areas and the graph whose shortest paths stand for its geodesics. No
// Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/triangle_mesh.hpp"
#include "geometry/knn_graph.hpp"

namespace thalweg {

/// A third of the area of the triangles at each vertex, divided by the area of the surface.
/// @throws DataError for a surface without area
std::vector<double> vertex_areas(const TriangleMesh& mesh);

/// The graph of the edges with their lengths. With `unfolded`, the two vertices opposite an edge are joined too, over
/// both triangles laid flat, where the segment between them crosses that edge; paths then err less in their direction.
/// An edge of more than two triangles is not crossed.
Graph surface_graph(const TriangleMesh& mesh, bool unfolded);

}  // namespace thalweg
