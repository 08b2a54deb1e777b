// What a low-rank pass sums, and how its sums are packed. No Kokkos: solvers include it.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/fixed_point.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Which sums a pass forms beside the type masses, sum_i a_i l_i and the entropy.
struct PassParts {
  bool features = false;  // F = phi^T diag(a) P, p x r
  bool hessian = false;   // H = P^T diag(a) P, r x r
};

/// Where the sums of a pass lie in its one packed buffer, and their fixed-point forms.
///
/// Terms are weighted with n a_i (mean 1); `rescale` = 1 / n turns sums into those of the definition.
struct PassLayout {
  std::int64_t num_types = 0;
  std::int64_t dimension = 0;
  PassParts parts;
  FixedPoint unit;        // masses and H
  FixedPoint normalizer;  // sum a l
  FixedPoint entropy;
  FixedPoint feature;
  double rescale = 1.0;

  // constexpr, so that kernels may call them on a device.
  constexpr std::int64_t masses_at() const { return 0; }
  constexpr std::int64_t normalizer_at() const { return num_types; }
  constexpr std::int64_t entropy_at() const { return num_types + 1; }
  constexpr std::int64_t features_at() const { return num_types + 2; }
  constexpr std::int64_t hessian_at() const { return features_at() + (parts.features ? dimension * num_types : 0); }
  constexpr std::int64_t size() const { return hessian_at() + (parts.hessian ? num_types * num_types : 0); }
};

/// Fixed-point forms that hold every sum over `num_rows` rows of all ranks.
/// @param max_feature   largest |phi_ij| of all ranks, per feature, length p
/// @param logits        A, p x r
/// @param duals         v, length r
PassLayout make_pass_layout(PassParts parts, std::int64_t num_rows, std::span<const double> max_feature,
                            const Matrix& logits, std::span<const double> duals);

/// Memberships of a chunk of rows, which a pass on a device forms by one kernel and reads by another: small enough to stay
/// in its last cache with their features, large enough for all of its threads.
inline constexpr std::int64_t chunk_bytes = std::int64_t{16} << 20;

/// Blocks of rows in a chunk, at least one.
std::int64_t blocks_of_chunk(std::int64_t num_types, std::int64_t scalar_bytes);

}  // namespace thalweg
