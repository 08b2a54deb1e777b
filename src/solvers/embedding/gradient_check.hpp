// Gradients of the training against differences of the loss. No Kokkos.
#pragma once

#include <span>

#include "solvers/embedding/cell_batch.hpp"

namespace thalweg {

/// |difference - gradient| / |gradient| of the loss by the embeddings of up to 256 cells of weight of either side, in one
/// direction that is half theirs and half random; in float64, couplings converged. Soft ranks have corners, next to
/// which the two differ. Collective.
/// @param scale   divisor of squared distances; 0: the mean of these cells
double gradient_error(const Context& context, const EmbeddingProblem& problem, const EmbeddingLossSettings& settings,
                      const EncoderPair& encoders, std::span<const double> weights, const EncoderInputs& cells,
                      double epsilon, double scale);

}  // namespace thalweg
