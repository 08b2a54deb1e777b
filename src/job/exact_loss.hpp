// The loss of an alignment under exact costs, where factors stood for them.
#pragma once

#include <cstdint>
#include <optional>

#include "job/gromov_costs.hpp"

namespace thalweg {

inline constexpr std::int64_t exact_cells = 4096;  // of a side, at most
inline constexpr std::uint32_t exact_stream = 72;  // of the random order that these are the first of

/// E_gw under exact geodesics; other factors are exact already.
struct ExactLoss {
  double loss = 0.0;  // of the coupling between the sampled cells, scaled to mass 1; NaN where that is 0
  std::int64_t num_sources = 0, num_targets = 0;
};

/// All cells, or up to `most_cells` of each side: the first in a random order of cells that depends on the seed alone.
/// Absent where no factor stood for geodesics. A search per cell and products of matrices of so many rows. Collective.
std::optional<ExactLoss> exact_loss(const Context& context, const AlignmentCosts& costs, const GromovSolution& solution,
                                    std::int64_t most_cells = exact_cells);

void log_exact_loss(const ExactLoss& exact);

}  // namespace thalweg
