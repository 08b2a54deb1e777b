// The rows of one slice as solvers see them: sums over all ranks, no device arrays, no communication.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "kernels/matrix.hpp"
#include "kernels/pass_layout.hpp"
#include "solvers/row_features.hpp"

namespace thalweg {

/// First and second moments of the rows of one slice in a frame, equal bits for any number of ranks.
struct RowMoments {
  double total_weight = 0.0;
  std::vector<double> mean;         // p, without the scale of the frame
  double second_moment = 0.0;       // sum_i a_i |x_i|^2 of the features but coordinates, with a normalised to sum 1
  std::vector<double> max_feature;  // max_i |phi_ij|
};

/// Collective.
RowMoments row_moments(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame);

/// Sums of a parametric membership P_ik = softmax_k(phi_i . A_k + v_k) over the rows of all ranks.
struct PassSums {
  std::vector<double> masses;  // s_k = sum_i a_i P_ik
  double normalizer = 0.0;     // sum_i a_i log sum_k exp(phi_i . A_k + v_k)
  double entropy = 0.0;        // sum_ik a_i P_ik log P_ik
  Matrix features;             // F = phi^T diag(a) P, p x r, if asked for
  Matrix hessian;              // H = P^T diag(a) P, r x r, if asked for
};

class RowPass {
 public:
  virtual ~RowPass() = default;
  /// Collective; equal bits on all ranks and for any number of ranks.
  virtual PassSums sums(const Matrix& logits, std::span<const double> duals, PassParts parts) const = 0;
  /// Memberships of the owned rows of `num_blocks` blocks from `first_block` on, rows x r; local.
  virtual std::vector<double> memberships(const Matrix& logits, std::span<const double> duals,
                                          std::int64_t first_block, std::int64_t num_blocks) const = 0;
  /// Passes over the rows so far.
  virtual std::int64_t num_passes() const = 0;
};

/// Copies the rows, in their frame, to the device of `context`; few rows, by the number of all ranks, to the host.
/// @throws MemoryError
std::unique_ptr<RowPass> make_row_pass(const Context& context, const RowBlock& block, const FeatureFrame& frame,
                                       const RowMoments& moments);

/// Given shares of one row, scaled to sum 1.
void normalise_shares(std::span<const float> shares, std::span<double> memberships);

/// Class sums of fixed labels (-1: none) in `num_types` types; collective, entropy 0.
PassSums label_sums(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame,
                    const RowMoments& moments, std::span<const std::int32_t> labels, std::int64_t num_types);

/// The same for given memberships: `shares` of the owned rows, n x num_types, finite and not negative, in any
/// positive sum a row. One share of a row gives the bits of its label. Collective, entropy 0.
PassSums membership_sums(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame,
                         const RowMoments& moments, std::span<const float> shares, std::int64_t num_types);

}  // namespace thalweg
