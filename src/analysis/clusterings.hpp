// Clusterings derived from memberships and the Markov laws between types: no cell-by-cell matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/matrix.hpp"

namespace thalweg {

/// Transition laws between the types of successive slices t = 0..N, from couplings T_t (r_t x r_{t+1}).
struct TypeLaws {
  std::vector<Matrix> forward;   ///< K_t = diag(1 / T_t 1) T_t: rows sum to 1
  std::vector<Matrix> ancestor;  ///< B_t = T_t diag(1 / T_t^T 1): columns sum to 1

  std::int64_t num_slices() const { return static_cast<std::int64_t>(forward.size()) + 1; }
};

/// Laws of the couplings in time order; a type without mass has a row (column) of zeros.
TypeLaws type_laws(std::span<const Matrix> couplings);

/// Probability of each type of slice `to` given the type of slice `from`, r_from x r_to:
///   K_from ... K_{to-1} forward in time, B_{from-1}^T ... B_to^T backward, the identity for to = from.
/// @param from, to  slices in 0..N; N >= 1
Matrix composed_law(const TypeLaws& laws, std::int64_t from, std::int64_t to);

/// Coupling between the types of two slices: diag(masses) composed_law(from, to).
/// @param masses  type masses of slice `from`
Matrix composed_coupling(const TypeLaws& laws, std::int64_t from, std::int64_t to, std::span<const double> masses);

/// Probabilities of the types of another slice for a block of cells: memberships (rows x r) times a composed law.
/// With slice 0 they are ancestors, with slice N fates.
Matrix type_probabilities(const Matrix& memberships, const Matrix& law);

/// A label a cell and how probable it is.
struct CellLabels {
  std::vector<std::int32_t> label;
  std::vector<double> confidence;
};

/// argmax_k of each row, ties to the lowest k; confidence is that entry.
CellLabels most_probable_types(const Matrix& probabilities);

/// argmax_k q_ik / g_k ("emission": the type most over-represented in the cell), ties to the lowest k; confidence is
/// its share of sum_k q_ik / g_k. Types without mass are never chosen.
CellLabels most_specific_types(const Matrix& memberships, std::span<const double> masses);

/// A sequence of types through all slices and its mass under the chain.
struct TypePath {
  std::vector<std::int64_t> types;
  double mass = 0.0;
};

/// The `count` heaviest paths z of g_0(z_0) K_0(z_0, z_1) ... K_{N-1}(z_{N-1}, z_N), heaviest first; paths without
/// mass are left out, ties go to the lexicographically smaller path.
/// @param masses  type masses of slice 0
std::vector<TypePath> heaviest_paths(const TypeLaws& laws, std::span<const double> masses, std::int64_t count);

}  // namespace thalweg
