// The entropic coupling between two embeddings. No Kokkos.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "solvers/embedding/embedding_loss.hpp"
#include "solvers/embedding/encoder_pair.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"

namespace thalweg {

/// The cost between embeddings, and how it is solved.
struct EmbeddingCouplingProblem {
  EmbeddingCost cost = EmbeddingCost::cosine;
  double cost_scale = 1.0;  // divisor of squared distances
  std::int64_t dim = 0;
  std::vector<double> a, b;  // all n, all m, of sum 1 each
  double epsilon = 0.02;
  double tolerance = 1e-6;
  std::int64_t iterations = 5000;
};

struct EmbeddingCoupling {
  std::shared_ptr<PairGeometry> geometry;
  SinkhornSolution solution;
};

/// P = argmin <C, P> + epsilon KL(P | a b^T), C between the embeddings; nothing n x m is stored. Collective.
/// @param rows       owned rows of both sides
/// @param initial_g  warm start; empty: annealing
EmbeddingCoupling couple_embeddings(const Context& context, const EmbeddingCouplingProblem& problem,
                                    const EmbeddedRows& rows, const std::vector<double>& initial_g = {},
                                    const StopCheck& stop_check = {});

/// Mean of |z_x - z_y|^2 over all pairs of cells of weight. Collective. @param rows   owned rows
double mean_squared_distance(const Context& context, const EmbeddingProblem& problem, const EmbeddedRows& rows);

/// Mean cosine of all pairs of cells of both sides: 1 where all embeddings are the same direction. Collective.
double mean_cosine(const Communicator& comm, const EmbeddedRows& rows, std::int64_t dim);

}  // namespace thalweg
