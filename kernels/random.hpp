// Counter-based random numbers: a draw is a pure function of (seed, stream, index, draw).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace thalweg {

/// One block of Philox4x32-10: four random words from a 128-bit counter and a 64-bit key.
/// Source: Salmon et al. (2011), Parallel random numbers: as easy as 1, 2, 3.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// A family of draws: `seed` comes from the job, `stream` names the use (one number per purpose).
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;

  /// 64 random bits of draw number `draw` for global index `index`.
  constexpr std::uint64_t bits(std::uint64_t index, std::uint32_t draw = 0) const {
    const auto words = philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), draw, stream},
                                  {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
    return (std::uint64_t{words[1]} << 32) | words[0];
  }

  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform(std::uint64_t index, std::uint32_t draw = 0) const {
    return static_cast<double>(bits(index, draw) >> 11) * 0x1.0p-53;
  }

  /// Standard normal (Box-Muller on draws 2 draw and 2 draw + 1).
  double normal(std::uint64_t index, std::uint32_t draw = 0) const {
    const double u = 1.0 - uniform(index, 2 * draw);  // in (0, 1]
    const double angle = 2.0 * std::numbers::pi * uniform(index, 2 * draw + 1);
    return std::sqrt(-2.0 * std::log(u)) * std::cos(angle);
  }
};

}  // namespace thalweg
