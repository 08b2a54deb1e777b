// Couplings that encoders are fitted to before they are trained: the best distinct alignments by [gromov].
#pragma once

#include <optional>
#include <vector>

#include "job/gromov_costs.hpp"
#include "job/job_session.hpp"
#include "solvers/embedding/training.hpp"
#include "solvers/gromov/multi_start.hpp"

namespace thalweg {

struct EmbeddingStarts {
  std::vector<NamedCoupling> couplings;  // by F, the best first
  MultiStartSolution solution;           // without the others
};

/// Whether landmarks stand for the cells of sides that large. @param most_cells   of the larger one
bool are_landmarks_coupled(const EmbedOptions& options, std::int64_t most_cells);

/// Solves the alignment of the job at embed.gw_epsilon from gromov.starts starts and keeps the three couplings of least
/// F of which none shares more than 0.9 with a better one. Sides of more than embed.gw_cells cells are solved between
/// embed.gw_landmarks cells a side, each with the weight of the cells nearest to it. The state is kept between runs
/// beside that of the training. Collective.
EmbeddingStarts couple_for_encoders(JobSession& session, const Job& job, const TransportSides& sides,
                                    const AlignmentCosts& costs);

}  // namespace thalweg
