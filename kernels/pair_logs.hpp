// From sums of shifted exponentials to logarithms, and when the shift was no good.
#pragma once

#include <cmath>

#include "kernels/pair_operands.hpp"

namespace thalweg {

/// Within these bounds no term that matters has left the range of float: what is lost below 2^-126 is, for 2^20
/// terms, 2^-26 of the smallest sum.
inline constexpr double smallest_sum = 0x1p-80, largest_sum = 0x1p60;

/// Whether a row with this shift takes part.
inline bool takes_part(double shift) { return shift > 0.5 * no_bias; }

/// Whether the sums of a tile or its first rows, formed with these shifts, can be used.
template <class Scalar>
bool sums_are_safe(const Scalar* shifts, const double* sums, int count = tile_rows) {
  for (int i = 0; i < count; ++i)
    if (takes_part(static_cast<double>(shifts[i])) && !(sums[i] >= smallest_sum && sums[i] <= largest_sum))
      return false;
  return true;
}

/// The shift under which the largest exponent of a row is 0; no_bias for a row that is to take no part or no column.
template <class Scalar>
Scalar shift_for_maximum(Scalar maximum) {
  return takes_part(static_cast<double>(maximum)) ? -maximum : Scalar(no_bias);
}

/// log2 of a sum, less the shift; -inf where there was nothing to add.
template <class Scalar>
double log_of_sum(double sum, Scalar shift) {
  return takes_part(static_cast<double>(shift)) && sum > 0.0 ? std::log2(sum) - static_cast<double>(shift) : -INFINITY;
}

/// A bias as Scalar: infinities and what lies beyond become the bias of a point that takes no part, or its opposite.
template <class Scalar>
Scalar bounded_bias(double bias) {
  return static_cast<Scalar>(bias < no_bias ? no_bias : bias > -no_bias ? -no_bias : bias);
}

}  // namespace thalweg
