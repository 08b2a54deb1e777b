// Masses as 64-bit integers, so that flows are exact and equal masses stay equal.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// Row and column masses in whole units; both sides sum to 2^60.
struct IntegerMasses {
  std::vector<std::int64_t> row, column;
  double unit = 0.0;  ///< mass of one unit; 0 where all masses are 0
};

/// Scales each side to the common total. The rounding (below 1e-15 of the total) goes to the largest column.
/// @param a, b   masses >= 0; their sums may differ by 1e-6 of the total, each side is then scaled on its own
/// @param where  the caller's name, for the messages
/// Throws DataError on negative, non-finite or unequal masses.
IntegerMasses integer_masses(std::span<const double> a, std::span<const double> b, const char* where);

}  // namespace thalweg
