// From the cells of two sides and [solver] to the problem that is solved.
#pragma once

#include <memory>
#include <string>

#include "core/context.hpp"
#include "geometry/pair_geometry.hpp"
#include "job/transport_sides.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"
#include "solvers/sinkhorn_options.hpp"

namespace thalweg {

struct TransportProblem {
  std::unique_ptr<PairGeometry> geometry;  // scaled
  SinkhornProblem problem;
  SinkhornSettings settings;
  Precision precision = Precision::float32;  // of the tiles
  double mean_cost = 0.0;  // of the pairs, before scaling
  double tau1 = 1.0, tau2 = 1.0;

  bool is_balanced() const;
};

/// The points of both sides as the cost sees them; views of `sides`.
/// @param swapped  source and target exchanged; not for `dense`
PairSides pair_sides(const Communicator& comm, const SinkhornOptions& options, const TransportSides& sides, bool swapped = false);

/// The points of one side.
PointSet points_of(const CellSide& side);

Cost cost_of(const SinkhornOptions& options);
EvaluationForm form_of(const SinkhornOptions& options);
SinkhornSettings settings_of(const SinkhornOptions& options, Device device);

/// Packs the points, scales the cost, prepares the weights; logs divisor, penalties and sums. Collective.
/// @param sides  its weights are those of the problem afterwards
/// @throws DataError for weights or costs that no problem can have
TransportProblem make_transport_problem(const Context& context, const SinkhornOptions& options, TransportSides& sides);

/// The same problem with arithmetic in float64, for a coupling that float32 is too coarse to read.
void use_float64(TransportProblem& problem);

}  // namespace thalweg
