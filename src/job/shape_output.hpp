// Files of an alignment of two surfaces.
#pragma once

#include "job/job_context.hpp"
#include "job/shape_match.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

/// Everything that is known of two matched surfaces.
struct ShapeResult {
  const Shape& source;
  const Shape& target;
  const ShapeProblem& problem;
  const MultiStartSolution& starts;
  const ShapeMaps& maps;
  const MapErrors& errors;  // empty without a reference

  const GromovSolution& solution() const { return starts.best; }
  /// Of E, F and epsilon in those of the solve.
  double unit() const { return problem.has_anchors() ? 2.0 : 1.0; }
};

/// Writes maps, tables, results and plots: everything but run.json. Collective.
void write_shapes(JobSession& session, const JobContext& context, const ShapeResult& result);

}  // namespace thalweg
