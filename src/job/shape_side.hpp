// Surfaces as sides of an alignment: vertices, graph, the vertices that are solved and the distances to them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/context.hpp"
#include "core/triangle_mesh.hpp"
#include "geometry/knn_graph.hpp"
#include "io/mesh_file.hpp"
#include "job/job.hpp"
#include "solvers/gromov/extension.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// Whether the sides of a job are surfaces: their files can hold nothing else, or they name faces.
bool are_shapes(const Job& job);

/// Where both surfaces lie. @throws DataError when only one side is a surface, or a side has several files
std::pair<MeshSource, MeshSource> shape_sources(const Job& job);

/// One surface, on every rank.
struct Shape {
  MeshSource file;
  TriangleMesh mesh;
  Graph graph;
  std::vector<std::int32_t> solved;  // vertices, those of anchors first
  ExtendedSide side;                 // its distances are over `divisor`; potentials come with the solution
  double divisor = 1.0;
  double diameter = 0.0;  // largest distance between solved vertices, in units of the file

  std::int64_t num_vertices() const { return mesh.num_vertices(); }
  std::int64_t num_solved() const { return static_cast<std::int64_t>(solved.size()); }
};

/// Vertices of both surfaces that belong together.
struct VertexPairs {
  std::vector<std::int32_t> source, target;
};

/// Reads a surface and makes its graph. Collective. @throws DataError for a surface in several parts
Shape read_shape(const Communicator& comm, const MeshSource& source, bool unfolded);

/// Chooses the vertices that are solved, `first` among them, and searches the distances of all vertices to these. The
/// weight of a vertex, a third of the area at it, goes to the solved vertex nearest to it. Collective.
void prepare_shape(const Context& context, const Job& job, std::vector<std::int32_t> first, Shape& shape);

/// Costs between the solved vertices, rows that this rank owns.
std::vector<double> solved_costs(const Communicator& comm, const Shape& shape);

/// Pairs of a table with columns `source` and `target`, or of an array FILE.npz/NAME with a target for each source.
/// Collective. @param setting   key of the job file that named it
/// @throws DataError with file and row: no vertices of the surfaces, a source that occurs twice
VertexPairs read_vertex_pairs(const Communicator& comm, const std::string& path, const std::string& setting,
                              const Shape& source, const Shape& target);

}  // namespace thalweg
