// Which start of a training counts. No Kokkos.
#pragma once

#include "solvers/embedding/training.hpp"

namespace thalweg {

/// The start of least E_gw + lambda_entropy KL(P | a b^T), with the overlaps of all others with it. Collective.
/// @param cells   owned rows
/// @throws NumericalError where no start has a finite loss
TrainedEncoders choose_start(const Context& context, const EmbeddingProblem& problem, const EncoderPair& encoders,
                             const EncoderInputs& cells, const TrainingSettings& settings,
                             std::vector<StartOutcome> starts);

}  // namespace thalweg
