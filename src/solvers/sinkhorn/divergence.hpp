// Sinkhorn divergence: entropic transport without its bias.
#pragma once

#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// S = OT(a, b) - OT(a, a) / 2 - OT(b, b) / 2 (+ epsilon (|a| - |b|)^2 / 2 for relaxed sides).
struct DivergenceProblem {
  SinkhornProblem cross;                // product reference; equal lambda on both sides
  PairGeometry* source_self = nullptr;  // of the source with itself, same cost and same divisor
  PairGeometry* target_self = nullptr;
};

struct DivergenceSolution {
  SinkhornSolution cross, source_self, target_self;
  double value = 0.0;                // from the dual values
  double resolution = 0.0;           // sum of the three gaps
  bool is_below_resolution = false;  // |value| < 10 resolution: it may be 0
};

/// Self terms by the symmetric iteration f <- (f + F(f)) / 2. Collective.
/// @throws ConfigError for another reference, or lambdas that differ
/// Source: Feydy et al. (2019), Interpolating between optimal transport and MMD; Sejourne et al. (2019) for relaxed
/// marginals.
DivergenceSolution solve_divergence(const Context& context, const DivergenceProblem& problem, const SinkhornSettings& settings,
                                    const SinkhornObserver& observer = {}, const StopCheck& stop_check = {});

/// OT(a, a) of one cloud; keep it where the cloud stays. Collective.
SinkhornSolution solve_self_transport(const Context& context, PairGeometry& geometry, std::span<const double> weights,
                                      const SinkhornProblem& cross, const SinkhornSettings& settings,
                                      const SinkhornObserver& observer = {}, const StopCheck& stop_check = {});

/// S from three solutions.
DivergenceSolution divergence_of(SinkhornSolution cross, SinkhornSolution source_self, SinkhornSolution target_self,
                                 const SinkhornProblem& problem);

}  // namespace thalweg
