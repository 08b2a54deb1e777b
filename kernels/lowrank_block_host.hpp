// The register-blocked CPU form of the low-rank pass for one block of rows. No Kokkos: plain vectors.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/matrix.hpp"

namespace thalweg {

/// Logit columns in the order in which the kernel reads them, made once a pass.
template <class Scalar>
struct HostColumns {
  std::int64_t num_types = 0;
  std::int64_t dimension = 0;
  std::vector<Scalar> panels;  // panels of `panel_width` types: feature by feature, padded with 0
  std::vector<double> duals;   // r

  HostColumns(const Matrix& logits, std::span<const double> duals_);
};

/// Sums of one block, and the scratch of the thread that forms them.
template <class Scalar>
struct HostBlock {
  std::vector<Scalar> memberships, weighted;  // padded types x block_rows
  std::vector<double> masses;                 // r
  double normalizer = 0.0, entropy = 0.0;
  std::vector<double> features;  // p x r
  std::vector<double> hessian;   // r x r

  explicit HostBlock(const HostColumns<Scalar>& columns);
};

/// Fills the sums of `block` for the rows with the given packed features (p x block_rows) and weights;
/// features and Hessian only if asked for.
template <class Scalar>
void lowrank_block_host(const HostColumns<Scalar>& columns, const Scalar* features, const Scalar* weights,
                        bool with_features, bool with_hessian, HostBlock<Scalar>& block);

}  // namespace thalweg
