#include "job/run_shapes.hpp"

#include <algorithm>
#include "job/gromov_output.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/shape_output.hpp"
#include "job/solve_alignment.hpp"

namespace thalweg {

namespace {

InputRecord record_of(const Shape& shape) {
  InputRecord input;
  input.path = shape.file.path;
  input.keys.push_back({"vertices", {shape.num_vertices(), 3}, "float64", ""});
  input.keys.push_back({"triangles", {shape.mesh.num_triangles(), 3}, "int32", ""});
  return input;
}

/// Pairs that a job names, none where it does not.
VertexPairs pairs_of(const Communicator& comm, const std::string& path, const char* setting, const Shape& source,
                     const Shape& target) {
  return path.empty() ? VertexPairs{} : read_vertex_pairs(comm, path, setting, source, target);
}

std::vector<std::int32_t> distinct(const std::vector<std::int32_t>& vertices) {
  std::vector<std::int32_t> kept;
  for (const std::int32_t vertex : vertices)
    if (std::find(kept.begin(), kept.end(), vertex) == kept.end()) kept.push_back(vertex);
  return kept;
}

/// Solved vertices are farthest points in order. In units of half the loss where pairs are given.
MultiStartSettings settings_for(const ShapeProblem& problem, const Job& job, Precision precision) {
  MultiStartSettings settings = starts_of(job.gromov, precision);
  settings.choice = AnchorChoice::leading;
  settings.exchange_groups = 0;
  std::optional<double>& epsilon_start = settings.solve.epsilon_start;
  if (problem.has_anchors() && epsilon_start) *epsilon_start *= 0.5;
  return settings;
}

}  // namespace

int run_shapes(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  check_memory(comm, read_plan_input(comm, context), job.run);
  JobSession session(comm, context);
  const Context solver = session.solver_context();
  session.start_phase("read");
  const auto [source_file, target_file] = shape_sources(job);
  Shape source = read_shape(comm, source_file, job.shapes.unfold),
        target = read_shape(comm, target_file, job.shapes.unfold);
  for (const Shape* shape : {&source, &target}) session.record().add_input(record_of(*shape));
  if (const auto code = session.finished_before()) return *code;
  const VertexPairs anchors = pairs_of(comm, job.shapes.anchors, "gromov.anchors", source, target);
  const VertexPairs reference = pairs_of(comm, job.shapes.reference_map, "gromov.reference_map", source, target);

  session.start_phase("costs");
  prepare_shape(solver, job, distinct(anchors.source), source);
  prepare_shape(solver, job, distinct(anchors.target), target);
  session.start_phase("solve");
  const ShapeProblem problem(comm, job, source, target, anchors);
  const MultiStartSolution starts =
      solve_alignment(session, job, problem.problem(), settings_for(problem, job, solver.precision), "source_target");
  log_alignment(starts);
  session.start_phase("describe");
  const ShapeMaps maps = match_vertices(comm, problem, starts.best, source, target);
  const MapErrors errors = reference.source.empty() ? MapErrors{} : map_errors(solver, source, target, maps, reference);
  session.start_phase("write");
  write_shapes(session, context, {source, target, problem, starts, maps, errors});
  return session.finish("source_target", starts.best.stop_reason);
}

}  // namespace thalweg
