// The register-blocked CPU form of the low-rank pass. No Kokkos: plain vectors.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/matrix.hpp"
#include "kernels/pass_layout.hpp"

namespace thalweg {

/// Logit columns in the order in which the kernel reads them, in units of log 2; made once a pass.
template <class Scalar>
struct HostColumns {
  std::int64_t num_types = 0;
  std::int64_t dimension = 0;
  std::vector<Scalar> panels;                // panel by panel, within it feature by feature
  std::vector<Scalar> duals, dual_residues;  // r; their sum is the dual to nearly twice the precision

  HostColumns(const Matrix& logits, std::span<const double> duals_);
};

/// Sums of a low-rank pass over blocks of rows, and the scratch of the thread that forms them.
template <class Scalar>
class HostSums {
 public:
  /// @param columns   must outlive this object
  HostSums(const HostColumns<Scalar>& columns, const PassLayout& layout);
  ~HostSums();

  /// Adds one block of rows.
  /// @param features   the block's tiles, each p x tile_rows
  /// @param weights    block_rows
  void add_block(const Scalar* features, const Scalar* weights);

  /// Adds the sums so far to `sums`, packed as the layout says.
  void add_to(std::int64_t* sums) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace thalweg
