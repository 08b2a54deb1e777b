// Files of an alignment of two surfaces.
#pragma once

#include "job/job_context.hpp"
#include "job/shape_match.hpp"

namespace thalweg {

/// Everything that is known of two matched surfaces.
struct ShapeResult {
  const Shape& source;
  const Shape& target;
  const ShapeProblem& problem;
  const GromovSolution& solution;
  const ShapeMaps& maps;
  const MapErrors& errors;  // empty without a reference
};

/// Writes maps, tables, results and plots: everything but run.json. Collective.
void write_shapes(JobSession& session, const JobContext& context, const ShapeResult& result);

}  // namespace thalweg
