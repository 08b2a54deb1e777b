#include "job/shape_side.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "geometry/geodesics.hpp"
#include "geometry/surface_graph.hpp"
#include "io/npz_file.hpp"
#include "job/point_pairs.hpp"
#include "job/read_cells.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

bool is_shape(const InputOptions& input, const SideOptions& side) {
  return !side.faces.empty() || (input.file.size() == 1 && is_mesh_file(input.file[0]));
}

MeshSource source_of(const InputOptions& input, const SideOptions& side, const std::string& name) {
  if (input.file.size() != 1)
    throw DataError(name + ".file names " + std::to_string(input.file.size()) + " files; a surface lies in one");
  return {input.file[0], input.joint, side.faces, name};
}

void check_parts(const Shape& shape) {
  const Components parts = components_of(shape.graph);
  if (parts.sizes.size() == 1) return;
  const auto other =
      std::find_if(parts.label.begin(), parts.label.end(), [](std::int32_t label) { return label != 0; });
  throw DataError(shape.file.path + " is in " + std::to_string(parts.sizes.size()) + " parts; vertex 0 is in one of " +
                  std::to_string(parts.sizes[0]) + " vertices, vertex " + std::to_string(other - parts.label.begin()) +
                  " is not; distances need a surface in one part; join or remove the others");
}

/// Distances of all vertices to the solved ones, on every rank.
Matrix distances_to_solved(const Context& context, const Shape& shape) {
  const RowRange rows = Partition(shape.num_vertices(), context.comm.size()).rows_of(context.comm.rank());
  const Matrix owned = distances_to(context, shape.graph, rows, shape.solved, Disconnected::error);
  Matrix all(shape.num_vertices(), shape.num_solved());
  all.values = context.comm.all_gather(std::span<const double>(owned.values));
  return all;
}

/// Weights of all vertices, each at the solved vertex nearest to it; ties: the first.
std::vector<double> gathered_weights(const Matrix& distances, const std::vector<double>& weights) {
  std::vector<double> gathered(static_cast<std::size_t>(distances.columns), 0.0);
  for (std::int64_t x = 0; x < distances.rows; ++x) {
    const auto row = distances.row(x);
    gathered[static_cast<std::size_t>(std::min_element(row.begin(), row.end()) - row.begin())] +=
        weights[static_cast<std::size_t>(x)];
  }
  return gathered;
}

/// Over the solved vertices: the largest distance, and the mean by their weights.
std::pair<double, double> largest_and_mean(const Shape& shape) {
  double largest = 0.0, mean = 0.0;
  for (std::size_t i = 0; i < shape.solved.size(); ++i)
    for (std::size_t j = 0; j < shape.solved.size(); ++j) {
      const double distance = shape.side.distances(shape.solved[i], static_cast<std::int64_t>(j));
      largest = std::max(largest, distance);
      mean += distance * shape.side.solved_weights[i] * shape.side.solved_weights[j];
    }
  return {largest, mean};
}

PairedSide side_of(const Shape& shape) {
  return {"vertices of the " + shape.file.name + " surface", shape.num_vertices()};
}

PointPairs pairs_of_array(const std::string& file, const std::string& name, const std::string& setting,
                          const Shape& source, const Shape& target) {
  const NpzArray array = NpzFile(file).read(name, setting);
  if (array.values.size() != source.mesh.vertices.size())
    throw DataError("array '" + name + "' of " + file + " has " + std::to_string(array.values.size()) +
                    " entries, the source surface " + std::to_string(source.num_vertices()) + " vertices; " + setting +
                    " needs one for each");
  PointPairs pairs;
  for (std::size_t x = 0; x < array.values.size(); ++x) {
    if (array.values[x] < 0.0) continue;
    pairs.source.push_back(static_cast<std::int64_t>(x));
    pairs.target.push_back(position_of(array.values[x], side_of(target),
                                       "entry " + std::to_string(x) + " of array '" + name + "' of " + file));
  }
  return pairs;
}

}  // namespace

bool are_shapes(const Job& job) {
  return is_shape(input_of_side(job.input, job.source), job.source) ||
         is_shape(input_of_side(job.input, job.target), job.target);
}

std::pair<MeshSource, MeshSource> shape_sources(const Job& job) {
  const InputOptions inputs[2] = {input_of_side(job.input, job.source), input_of_side(job.input, job.target)};
  const SideOptions* sides[2] = {&job.source, &job.target};
  const char* names[2] = {"source", "target"};
  for (std::size_t k = 0; k < 2; ++k)
    if (!is_shape(inputs[k], *sides[k]))
      throw DataError(std::string("the ") + names[1 - k] + " side is a surface, the " + names[k] +
                      " side is not; name a .off, .ply or .npz file with " + names[k] +
                      ".file, or its triangles with " + names[k] + ".faces");
  return {source_of(inputs[0], job.source, "source"), source_of(inputs[1], job.target, "target")};
}

Shape read_shape(const Communicator& comm, const MeshSource& source, bool unfolded) {
  Shape shape;
  shape.file = source;
  shape.mesh = read_mesh(comm, source);
  shape.graph = surface_graph(shape.mesh, unfolded);
  check_parts(shape);
  return shape;
}

void prepare_shape(const Context& context, const Job& job, std::vector<std::int32_t> first, Shape& shape) {
  if (first.empty()) first = random_cells(shape.num_vertices(), 1, context.seed, landmark_stream);
  shape.solved = farthest_nodes(shape.graph, std::move(first), job.shapes.solve_points);
  shape.side.weights = vertex_areas(shape.mesh);
  shape.side.distances = distances_to_solved(context, shape);
  shape.side.solved_weights = gathered_weights(shape.side.distances, shape.side.weights);
  const auto [largest, mean] = largest_and_mean(shape);
  shape.diameter = largest;
  const std::string& scale = job.gromov.scale;
  shape.divisor = scale == "none" ? 1.0 : scale == "mean" ? mean : largest;
  for (double& distance : shape.side.distances.values) distance /= shape.divisor;
  log_info(shape.file.name + ": " + std::to_string(shape.num_vertices()) + " vertices, " +
           std::to_string(shape.mesh.num_triangles()) + " triangles, " + std::to_string(shape.num_solved()) +
           " vertices solved, diameter " + rounded_number(shape.diameter, 6));
}

std::vector<double> solved_costs(const Communicator& comm, const Shape& shape) {
  const RowRange rows = Partition(shape.num_solved(), comm.size(), block_rows).rows_of(comm.rank());
  std::vector<double> costs;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    const auto row = shape.side.distances.row(shape.solved[static_cast<std::size_t>(i)]);
    costs.insert(costs.end(), row.begin(), row.end());
  }
  return costs;
}

VertexPairs read_vertex_pairs(const Communicator& comm, const std::string& path, const std::string& setting,
                              const Shape& source, const Shape& target) {
  VertexPairs pairs;
  comm.on_root([&] {
    const std::size_t split = path.rfind(".npz/");
    const PointPairs read = split == std::string::npos
                                ? read_pair_table(path, side_of(source), side_of(target))
                                : pairs_of_array(path.substr(0, split + 4), path.substr(split + 5), setting, source, target);
    check_pairs(read, side_of(source), path, setting);
    pairs = {{read.source.begin(), read.source.end()}, {read.target.begin(), read.target.end()}};
  });
  comm.broadcast(pairs.source);
  comm.broadcast(pairs.target);
  return pairs;
}

}  // namespace thalweg
