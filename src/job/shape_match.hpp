// The vertices of two surfaces matched through the coupling of those that were solved.
#pragma once

#include <vector>

#include "job/job_session.hpp"
#include "job/shape_side.hpp"

namespace thalweg {

/// Problem between the solved vertices, and what it is made of; moved nowhere, because its parts view each other.
class ShapeProblem {
 public:
  /// Anchors are the first of the solved vertices of both sides. With them E = (E_gw + <M, P>) / 2 at half epsilon,
  /// whose coupling is that of E_gw + <M, P> at epsilon; M of an anchor to a vertex is the distance of its partner to
  /// it over the diameter, that of other vertices 0.
  ShapeProblem(const Communicator& comm, const Job& job, const Shape& source, const Shape& target, VertexPairs anchors);
  ShapeProblem(const ShapeProblem&) = delete;
  ShapeProblem& operator=(const ShapeProblem&) = delete;

  const GromovProblem& problem() const { return problem_; }
  bool has_anchors() const { return !anchors_.source.empty(); }
  const VertexPairs& anchors() const { return anchors_; }

  /// M of the anchors to all target vertices.
  std::vector<LinearRow> linear_rows() const;

 private:
  const Shape& target_;
  VertexPairs anchors_;
  std::vector<double> source_costs_, target_costs_, linear_costs_;
  GromovProblem problem_;
};

/// Partners of all vertices of one surface on the other, on every rank. `means`: positions, vertices x 3.
struct ShapeMaps {
  Partners of_sources, of_targets;
};

/// Largest shares kept of each vertex.
inline constexpr std::int64_t num_top_partners = 32;

/// Extends the coupling to all vertices; the potentials of the solution are put into both shapes. Collective.
ShapeMaps match_vertices(const Communicator& comm, const ShapeProblem& problem, const GromovSolution& solution,
                         Shape& source, Shape& target);

/// Distance on the other surface between the match of each vertex and its partner in a reference, over the diameter;
/// NaN without a reference.
struct MapErrors {
  std::vector<double> of_sources, of_targets;
};
MapErrors map_errors(const Context& context, const Shape& source, const Shape& target, const ShapeMaps& maps,
                     const VertexPairs& reference);

}  // namespace thalweg
