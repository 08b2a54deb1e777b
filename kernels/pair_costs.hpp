// One functor a kind of score: how features enter, and what makes the score of their sum. No Kokkos; constexpr lets
// device kernels call them.
#pragma once

#include "kernels/pair_operands.hpp"

namespace thalweg {

/// Scores that are affine in a sum over features start at the shift u_i, the others have it added at the end.
struct DotScore {
  static constexpr bool reads_features = true, starts_at_shift = true, needs_norms = false;
  template <class V>
  static constexpr V add(V sum, V x, V y) {
    return sum + x * y;
  }
};

struct EuclideanScore {
  static constexpr bool reads_features = true, starts_at_shift = false, needs_norms = true;
  template <class V>
  static constexpr V add(V sum, V x, V y) {
    return sum + x * y;
  }
  /// Squared distances below this share of the squared norms have lost digits and are formed from differences.
  static constexpr float cancelled = 0x1.0p-10f;
};

struct ManhattanScore {
  static constexpr bool reads_features = true, starts_at_shift = false, needs_norms = false;
  template <class V>
  static constexpr V add(V sum, V x, V y) {
    const V difference = x - y;
    return sum - (difference > V{} ? difference : -difference);
  }
};

struct DenseScore {
  static constexpr bool reads_features = false, starts_at_shift = false, needs_norms = false;
};

/// Calls body(functor) for the kind.
template <class Body>
auto with_score(PairScore kind, Body&& body) {
  switch (kind) {
    case PairScore::euclidean:
      return body(EuclideanScore{});
    case PairScore::manhattan:
      return body(ManhattanScore{});
    case PairScore::dense:
      return body(DenseScore{});
    default:
      return body(DotScore{});
  }
}

}  // namespace thalweg
