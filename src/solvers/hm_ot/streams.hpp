// Which random numbers each part of a start draws.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/random.hpp"

namespace thalweg {

enum class DrawUse : std::uint32_t { matched_cells, sampled_cells, trajectory_seeds, kmeans_seeds, merge_seeds, random_rows, random_links };

inline constexpr std::size_t max_slices = std::size_t{1} << 12;    // as a slice has 12 bits of a stream
inline constexpr std::uint32_t max_restarts = std::uint32_t{1} << 17;

/// The stream of one use; different for all slices below max_slices and restarts below max_restarts.
constexpr RandomStream stream_of(std::uint64_t seed, DrawUse use, std::size_t slice, std::uint32_t restart = 0) {
  return {seed, (static_cast<std::uint32_t>(use) << 29) | (restart << 12) | static_cast<std::uint32_t>(slice)};
}

}  // namespace thalweg
