// Standard normals for simulations: four a Philox block, both outputs of Box-Muller.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>

#include "kernels/random.hpp"

namespace thalweg {

/// Streams of the simulations; the index is a particle or a row counted over all slices.
enum class SimulationStream : std::uint32_t {
  start = 0x5101,
  step,
  measurement,
  lift,
  lift_noise,
  centre,
  drift,
  weight,
  component,
  cell
};

namespace detail {

struct NormalPair {
  float first, second;
};

/// Box-Muller in float on 32 + 32 random bits: |x| <= 6.7.
inline NormalPair normal_pair(std::uint32_t radius_bits, std::uint32_t angle_bits) {
  const float u = (static_cast<float>(radius_bits) + 1.0f) * 0x1.0p-32f;  // in (0, 1]
  const float radius = std::sqrt(-2.0f * std::log(u));
  const float angle = static_cast<float>(angle_bits) * (2.0f * std::numbers::pi_v<float> * 0x1.0p-32f);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace detail

/// Normals number 4 draw .. 4 draw + 3 of an index.
inline std::array<float, 4> four_normals(std::uint64_t seed, SimulationStream stream, std::uint64_t index,
                                         std::uint32_t draw) {
  const auto words = philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), draw,
                                 static_cast<std::uint32_t>(stream)},
                                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  const auto left = detail::normal_pair(words[0], words[1]), right = detail::normal_pair(words[2], words[3]);
  return {left.first, left.second, right.first, right.second};
}

/// The first values.size() normals of an index, written in place.
inline void fill_normals(std::uint64_t seed, SimulationStream stream, std::uint64_t index, std::span<float> values) {
  std::size_t filled = 0;
  for (std::uint32_t draw = 0; filled < values.size(); ++draw) {
    for (const float normal : four_normals(seed, stream, index, draw)) {
      if (filled == values.size()) break;
      values[filled++] = normal;
    }
  }
}

}  // namespace thalweg
