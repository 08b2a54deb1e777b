// What decides who is a neighbour: exact distances, sorted lists, and the bound that screening may rely on.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace thalweg {

/// Marks a place of a list that no neighbour took.
inline constexpr std::int32_t no_neighbour = std::numeric_limits<std::int32_t>::max();

// The functions are constexpr so that device code may call them without this header knowing Kokkos; templates, so that
// they may call the functions of <cmath>.

/// |x - y|^2 in four partial sums of fixed order: the same bits in every kernel.
template <class Real>
constexpr Real squared_distance(const Real* x, const Real* y, std::int64_t dimension) {
  Real sum[4] = {};
  std::int64_t j = 0;
  for (; j + 4 <= dimension; j += 4)
    for (int q = 0; q < 4; ++q) sum[q] = std::fma(x[j + q] - y[j + q], x[j + q] - y[j + q], sum[q]);
  for (int q = 0; j < dimension; ++j, ++q) sum[q] = std::fma(x[j] - y[j], x[j] - y[j], sum[q]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/// The order of neighbours: nearer first, ties by smaller index.
template <class Real>
constexpr bool comes_before(Real distance, std::int32_t index, Real other_distance, std::int32_t other_index) {
  return distance < other_distance || (distance == other_distance && index < other_index);
}

/// Puts a neighbour that comes before the last of a sorted list of `count` into its place; the last drops out.
template <class Real>
constexpr void insert_neighbour(Real distance, std::int32_t index, std::int64_t count, Real* distances,
                                std::int32_t* indices) {
  std::int64_t place = count - 1;
  for (; place > 0 && comes_before(distance, index, distances[place - 1], indices[place - 1]); --place) {
    distances[place] = distances[place - 1];
    indices[place] = indices[place - 1];
  }
  distances[place] = distance;
  indices[place] = index;
}

/// The largest score |y|^2 / 2 - x . y, formed in `Scalar` from rounded points, that a point y with |x - y|^2 <= r2 can
/// have.
///
/// With u the unit roundoff and A = (|x| + |y|)^2, rounding the points changes |x - y|^2 by at most 3 u A, their score
/// twice over by (d + 3) u A, and the decision in double by less than d u A; A <= 2 (4 |x|^2 + r2). The last term is
/// for products that underflow.
/// @param x2   |x|^2 of the rounded x
/// @param r2   infinite as long as anyone is near enough
template <class Scalar>
constexpr Scalar largest_score(double x2, double r2, std::int64_t dimension) {
  constexpr double roundoff = 0.5 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());
  constexpr double smallest = static_cast<double>(std::numeric_limits<Scalar>::min());
  const double d = static_cast<double>(dimension);
  const double rounding = 4.0 * (d + 8.0) * roundoff * (4.0 * x2 + r2) + 8.0 * (d + 1.0) * smallest;
  const double score = 0.5 * (r2 - x2 + rounding);
  constexpr double largest = static_cast<double>(std::numeric_limits<Scalar>::max());
  return score < largest ? static_cast<Scalar>(score) : std::numeric_limits<Scalar>::infinity();
}

}  // namespace thalweg
