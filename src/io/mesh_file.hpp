// Surfaces of triangles from files: .off, .ply, .npz, .h5ad.
#pragma once

#include <string>

#include "core/triangle_mesh.hpp"
#include "distributed/communicator.hpp"

namespace thalweg {

/// Where a surface lies. The keys name arrays of .npz files ("V1", "F1") and of .h5ad files ("obsm/vertices",
/// "uns/faces"); .off and .ply files hold one surface and need none.
struct MeshSource {
  std::string path;
  std::string vertices, faces;
  std::string name;  // of the side, for messages: "source"
};

/// Whether a file of this name can hold nothing but a surface.
bool is_mesh_file(const std::string& path);

/// The surface, on every rank. Collective.
/// @throws DataError with file and line or row: no such file or array, not finite, faces that are no triangles of its
///         vertices, vertices without a triangle
TriangleMesh read_mesh(const Communicator& comm, const MeshSource& source);

struct MeshSize {
  std::int64_t vertices = 0, triangles = 0;
};

/// Its numbers of vertices and triangles, from headers alone. Collective.
MeshSize read_mesh_size(const Communicator& comm, const MeshSource& source);

}  // namespace thalweg
