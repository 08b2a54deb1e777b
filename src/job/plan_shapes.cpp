#include "job/plan_shapes.hpp"

#include <algorithm>

#include "distributed/device.hpp"
#include "job/shape_match.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

namespace {

constexpr WideInt triangles_a_vertex = 2, edges_a_vertex = 6;  // of a closed surface, those across edges among them
constexpr WideInt bytes_of_edge = 4 * 16 + 2 * 12;             // listed twice, sorted, and in the graph
constexpr WideInt tile_rows_of_extension = 64;

}  // namespace

PlanInput shape_input(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  PlanInput input;
  input.command = context.command;
  input.is_double = job.solver.precision == "float64";
  input.on_device = job.run.device != "cpu" && is_device_build() && num_devices() > 0;
  input.threads = context.threads;
  input.num_features = input.other_features = 3;
  input.cost_bytes = 8;
  const auto [source, target] = shape_sources(job);
  for (const MeshSource& file : {source, target}) {
    input.surface_vertices.push_back(read_mesh_size(comm, file).vertices);
    input.cells_per_slice.push_back(std::min(job.shapes.solve_points, input.surface_vertices.back()));
  }
  MultiStartSettings settings;
  settings.starts = job.gromov.starts;
  input.starts = settings.starts;
  input.kept_couplings = most_kept(settings, std::max(input.cells_per_slice[0], input.cells_per_slice[1])) - 1;
  return input;
}

void add_shapes(const PlanInput& input, Collector& items) {
  if (input.surface_vertices.empty()) return;
  const WideInt n = input.surface_vertices[0], m = input.surface_vertices[1], s = input.cells_per_slice[0],
                t = input.cells_per_slice[1];
  items.add_fixed("surfaces and their graphs", Collector::always, false,
                  (n + m) * (24 + triangles_a_vertex * 12 + edges_a_vertex * bytes_of_edge));
  items.add_fixed("distances to solved vertices", Collector::solving | Collector::writing, false,
                  2 * 8 * (n * s + m * t));
  items.add_fixed("coupling, extended", Collector::writing, false,
                  8 * (2 * s * t + s * m + t * n) + input.threads * tile_rows_of_extension * 8 * std::max(n, m));
  items.add_fixed("partners of vertices", Collector::writing, false,
                  2 * (n + m) * (3 * 8 + 24 + 16 * num_top_partners));
}

}  // namespace thalweg
