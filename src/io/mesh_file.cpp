#include "io/mesh_file.hpp"

#include <algorithm>
#include <cmath>

#include "io/anndata_reader.hpp"
#include "io/npz_file.hpp"
#include "io/off_file.hpp"
#include "io/ply_file.hpp"
#include "io/text_file.hpp"

namespace thalweg {

namespace {

enum class Format { off, ply, npz, h5ad };

Format format_of(const MeshSource& source) {
  const std::string& path = source.path;
  if (path.ends_with(".off")) return Format::off;
  if (path.ends_with(".ply")) return Format::ply;
  if (path.ends_with(".npz")) return Format::npz;
  if (path.ends_with(".h5ad")) return Format::h5ad;
  throw DataError(path + " of " + source.name + ".file is no file of a surface; .off, .ply, .npz and .h5ad are read");
}

std::string setting_of(const MeshSource& source, const char* key) { return source.name + "." + key; }

void require_faces(const MeshSource& source) {
  if (source.faces.empty())
    throw DataError(source.path + " holds several arrays; name that of the triangles with " +
                    setting_of(source, "faces"));
}

TriangleMesh mesh_of(const std::vector<double>& vertices, const std::vector<std::int64_t>& faces) {
  TriangleMesh mesh;
  for (std::size_t i = 0; i + 2 < vertices.size(); i += 3)
    mesh.vertices.push_back({vertices[i], vertices[i + 1], vertices[i + 2]});
  const auto corner = [&](std::size_t at) {  // out of range stays out of range
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(faces[at], -1, 2147483647));
  };
  for (std::size_t k = 0; k + 2 < faces.size(); k += 3)
    mesh.triangles.push_back({corner(k), corner(k + 1), corner(k + 2)});
  return mesh;
}

void require_three_columns(const std::vector<std::int64_t>& shape, const std::string& key, const MeshSource& source) {
  if (shape.size() == 2 && shape[1] == 3) return;
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  throw DataError("'" + key + "' of " + source.path + " is " + text +
                  "; vertices and triangles have three columns; correct " + setting_of(source, "key") + " or " +
                  setting_of(source, "faces"));
}

TriangleMesh read_npz_mesh(const MeshSource& source) {
  require_faces(source);
  const NpzFile file(source.path);
  const NpzArray vertices = file.read(source.vertices, setting_of(source, "key"));
  const NpzArray faces = file.read(source.faces, setting_of(source, "faces"));
  require_three_columns(vertices.shape, source.vertices, source);
  require_three_columns(faces.shape, source.faces, source);
  if (!faces.is_integer)
    throw DataError("'" + source.faces + "' of " + source.path +
                    " holds no integers; the corners of triangles are numbers of vertices; correct " +
                    setting_of(source, "faces"));
  return mesh_of(vertices.values, {faces.values.begin(), faces.values.end()});
}

std::vector<std::int64_t> shape_of_faces(const AnnDataReader& reader, const MeshSource& source) {
  const Hdf5Object& object = reader.file().object(source.faces);
  if (object.is_dataset() && object.values == Hdf5Object::Values::integer) return object.shape;
  throw DataError("'" + source.faces + "' of " + source.path +
                  " is no array of integers; name that of the triangles with " + setting_of(source, "faces") +
                  ", as in \"uns/faces\"");
}

TriangleMesh read_h5ad_mesh(const Communicator& comm, const MeshSource& source) {
  require_faces(source);
  const AnnDataReader reader(comm, source.path);
  const StoredMatrix vertices = reader.matrix(source.vertices, setting_of(source, "key"));
  require_three_columns({vertices.num_rows(), vertices.num_columns()}, source.vertices, source);
  const std::vector<std::int64_t> shape = shape_of_faces(reader, source);
  require_three_columns(shape, source.faces, source);
  const std::vector<float> positions = vertices.read_dense({0, vertices.num_rows()});
  return mesh_of({positions.begin(), positions.end()},
                 reader.file().read_rows<std::int64_t>(source.faces, {0, shape[0]}));
}

/// What one rank reads for all.
TriangleMesh read_on_one_rank(const MeshSource& source) {
  switch (format_of(source)) {
    case Format::off:
      return parse_off(read_text_file(source.path), source.path);
    case Format::ply:
      return parse_ply(read_text_file(source.path), source.path);
    default:
      return read_npz_mesh(source);
  }
}

void check_mesh(const TriangleMesh& mesh, const MeshSource& source) {
  if (mesh.triangles.empty()) throw DataError(source.path + " holds no triangles; a surface of triangles is needed");
  for (std::size_t i = 0; i < mesh.vertices.size(); ++i)
    for (const double x : mesh.vertices[i])
      if (!std::isfinite(x))
        throw DataError("vertex " + std::to_string(i) + " of " + source.path +
                        " has a coordinate that is not finite; correct it");
  std::vector<bool> is_used(mesh.vertices.size(), false);
  for (std::size_t k = 0; k < mesh.triangles.size(); ++k)
    for (const std::int32_t vertex : mesh.triangles[k]) {
      if (vertex < 0 || vertex >= mesh.num_vertices())
        throw DataError("triangle " + std::to_string(k) + " of " + source.path + " has a vertex outside 0 to " +
                        std::to_string(mesh.num_vertices() - 1) + "; vertices are numbered from 0");
      is_used[static_cast<std::size_t>(vertex)] = true;
    }
  const auto unused = std::find(is_used.begin(), is_used.end(), false);
  if (unused != is_used.end())
    throw DataError("vertex " + std::to_string(unused - is_used.begin()) + " of " + source.path +
                    " belongs to no triangle; remove it from the surface");
}

MeshSize size_on_one_rank(const MeshSource& source) {
  if (format_of(source) == Format::npz) {
    require_faces(source);
    const NpzFile file(source.path);
    return {file.shape(source.vertices, setting_of(source, "key")).at(0),
            file.shape(source.faces, setting_of(source, "faces")).at(0)};
  }
  if (format_of(source) == Format::ply) {
    const auto [vertices, triangles] = ply_size(read_text_file(source.path), source.path);
    return {vertices, triangles};
  }
  const TriangleMesh mesh = read_on_one_rank(source);
  return {mesh.num_vertices(), mesh.num_triangles()};
}

}  // namespace

bool is_mesh_file(const std::string& path) {
  return path.ends_with(".off") || path.ends_with(".ply") || path.ends_with(".npz");
}

TriangleMesh read_mesh(const Communicator& comm, const MeshSource& source) {
  TriangleMesh mesh;
  if (format_of(source) == Format::h5ad) {
    mesh = read_h5ad_mesh(comm, source);
  } else {
    comm.on_root([&] { mesh = read_on_one_rank(source); });
    comm.broadcast(mesh.vertices);
    comm.broadcast(mesh.triangles);
  }
  check_mesh(mesh, source);
  return mesh;
}

MeshSize read_mesh_size(const Communicator& comm, const MeshSource& source) {
  if (format_of(source) == Format::h5ad) {
    require_faces(source);
    const AnnDataReader reader(comm, source.path);
    const std::vector<std::int64_t> shape = shape_of_faces(reader, source);
    require_three_columns(shape, source.faces, source);
    return {reader.matrix(source.vertices, setting_of(source, "key")).num_rows(), shape[0]};
  }
  std::int64_t sizes[2] = {0, 0};
  comm.on_root([&] {
    const MeshSize size = size_on_one_rank(source);
    sizes[0] = size.vertices;
    sizes[1] = size.triangles;
  });
  comm.broadcast(std::span<std::int64_t>(sizes), 0);
  return {sizes[0], sizes[1]};
}

}  // namespace thalweg
