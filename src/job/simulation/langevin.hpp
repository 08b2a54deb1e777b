// Overdamped Langevin particles on a landscape, seen at snapshots.
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/partition.hpp"
#include "job/simulation/landscape.hpp"
#include "job/simulation/simulated_block.hpp"

namespace thalweg {

struct LangevinParameters {
  std::int64_t particles = 300;
  std::int64_t steps = 400;  ///< states 0 .. steps - 1
  double dt = 0.02;
  double diffusion = 0.01;
  std::vector<std::int64_t> snapshots{};  ///< states that are seen, ascending
  double noise = 0.0;                     ///< sd of the measured coordinates
  std::int64_t embed_dim = 0;             ///< above 2: random orthonormal lift, unit noise in the other dimensions
  std::uint64_t seed = 0;
};

/// dX = -grad V dt + sqrt(2 D) dB by Euler-Maruyama for the particles of `rows`: one block a snapshot, so that
/// row i of every block is the same particle.
///
/// A particle's path is a function of (seed, particle, step) alone: any split of the rows gives the same numbers.
/// Throws ConfigError where snapshots are not ascending states, or a size, dt or diffusion is out of range.
std::vector<SimulatedBlock> simulate_langevin(const Landscape& landscape, const LangevinParameters& parameters,
                                              RowRange rows);

/// Types with at least 2 % of the particles of a snapshot; the other types' particles are marked "not to keep".
/// @param counts  particles of each type over all ranks
std::vector<bool> kept_types(const std::vector<std::int64_t>& counts, std::int64_t particles);

}  // namespace thalweg
