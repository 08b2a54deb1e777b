// Surfaces in Object File Format: "OFF", numbers of vertices, faces and edges, then one of each a line.
#pragma once

#include <string>

#include "core/triangle_mesh.hpp"

namespace thalweg {

/// What follows a vertex or a face on its line (colours) is skipped, as are comments. For one rank.
/// @param text   the whole file
/// @param path   for messages
/// @throws DataError with file and line
TriangleMesh parse_off(const std::string& text, const std::string& path);

}  // namespace thalweg
