// Surfaces in the Polygon File Format (Stanford triangles), as text or binary little endian.
#pragma once

#include <string>

#include "core/triangle_mesh.hpp"

namespace thalweg {

/// Reads x, y, z of element `vertex` and the list vertex_indices (or vertex_index) of element `face`; other properties
/// and elements are skipped. For one rank.
/// @param bytes   the whole file
/// @param path    for messages
/// @throws DataError with the file, and the element and its number
TriangleMesh parse_ply(const std::string& bytes, const std::string& path);

/// Numbers of vertices and faces that the header announces.
std::pair<std::int64_t, std::int64_t> ply_size(const std::string& bytes, const std::string& path);

}  // namespace thalweg
