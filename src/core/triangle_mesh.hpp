// A surface of triangles, as files give it and as its distances are computed from it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace thalweg {

struct TriangleMesh {
  std::vector<std::array<double, 3>> vertices;
  std::vector<std::array<std::int32_t, 3>> triangles;  // vertices, from 0

  std::int64_t num_vertices() const { return static_cast<std::int64_t>(vertices.size()); }
  std::int64_t num_triangles() const { return static_cast<std::int64_t>(triangles.size()); }
};

}  // namespace thalweg
