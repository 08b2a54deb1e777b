// Products of dense matrices by the library of each execution space: BLAS on the host, cuBLAS on a device.
#pragma once

#include <cstdint>
#include <type_traits>

namespace thalweg {

/// C <- A B + beta C, all row-major: A rows x depth, B depth x columns, C rows x columns.
struct GemmShape {
  std::int64_t rows = 0, columns = 0, depth = 0;
  /// Stored the other way round: A depth x rows, B columns x depth.
  bool a_transposed = false, b_transposed = false;
  /// Values from the start of a row, as stored, to that of the next; 0: rows lie one after another.
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;

  std::int64_t a_row() const { return a_stride > 0 ? a_stride : a_transposed ? rows : depth; }
  std::int64_t b_row() const { return b_stride > 0 ? b_stride : b_transposed ? depth : columns; }
  std::int64_t c_row() const { return c_stride > 0 ? c_stride : columns; }
};

/// One product, in memory of the execution space and in the order of `exec`; on the host by the calling thread. Sums
/// are formed in Scalar, float ones never of operands with fewer bits. With beta = 0 nothing is read of C.
/// @throws std::length_error where the host's BLAS, of 32-bit counts, cannot take a size
/// @throws std::runtime_error naming the call that the device's library refused
template <class Scalar, class ExecutionSpace>
void gemm(const ExecutionSpace& exec, const GemmShape& shape, const Scalar* a, const Scalar* b, Scalar* c,
          std::type_identity_t<Scalar> beta = 0);

/// Values from the start of a matrix to that of the next one of a batch; 0, of A and B alone: all products read the
/// same.
struct BatchSteps {
  std::int64_t a = 0, b = 0, c = 0;
};

/// `batch` products of one shape, their C apart from each other; on the host by all threads, so not from a body of
/// for_each_row_on_host. Otherwise as above.
template <class Scalar, class ExecutionSpace>
void gemm_batch(const ExecutionSpace& exec, const GemmShape& shape, std::int64_t batch, const BatchSteps& steps,
                const Scalar* a, const Scalar* b, Scalar* c, std::type_identity_t<Scalar> beta = 0);

}  // namespace thalweg
