#include <cblas.h>

#include <Kokkos_Core.hpp>
#include <limits>
#include <stdexcept>
#include <string>

#include "kernels/gemm.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

int blas_size(std::int64_t size) {
  if (size > std::numeric_limits<int>::max())
    throw std::length_error("a matrix of " + std::to_string(size) + " rows or columns is beyond the counts of BLAS");
  return static_cast<int>(size);
}

CBLAS_TRANSPOSE turn(bool is_transposed) { return is_transposed ? CblasTrans : CblasNoTrans; }

void multiply(const GemmShape& shape, const float* a, const float* b, float* c, float beta) {
  cblas_sgemm(CblasRowMajor, turn(shape.a_transposed), turn(shape.b_transposed), blas_size(shape.rows),
              blas_size(shape.columns), blas_size(shape.depth), 1.0F, a, blas_size(shape.a_row()), b,
              blas_size(shape.b_row()), beta, c, blas_size(shape.c_row()));
}

void multiply(const GemmShape& shape, const double* a, const double* b, double* c, double beta) {
  cblas_dgemm(CblasRowMajor, turn(shape.a_transposed), turn(shape.b_transposed), blas_size(shape.rows),
              blas_size(shape.columns), blas_size(shape.depth), 1.0, a, blas_size(shape.a_row()), b,
              blas_size(shape.b_row()), beta, c, blas_size(shape.c_row()));
}

template <class Scalar>
void scale(const GemmShape& shape, Scalar* c, Scalar beta) {
  for (std::int64_t i = 0; i < shape.rows; ++i)
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      Scalar& value = c[i * shape.c_row() + j];
      value = beta == Scalar(0) ? Scalar(0) : beta * value;
    }
}

}  // namespace

template <class Scalar, class ExecutionSpace>
void gemm(const ExecutionSpace&, const GemmShape& shape, const Scalar* a, const Scalar* b, Scalar* c,
          std::type_identity_t<Scalar> beta) {
  if (shape.rows == 0 || shape.columns == 0) return;
  // Implementations of BLAS differ in what they do to C, and in the strides they allow.
  if (shape.depth == 0) scale(shape, c, beta);
  else multiply(shape, a, b, c, beta);
}

template <class Scalar, class ExecutionSpace>
void gemm_batch(const ExecutionSpace& exec, const GemmShape& shape, std::int64_t batch, const BatchSteps& steps,
                const Scalar* a, const Scalar* b, Scalar* c, std::type_identity_t<Scalar> beta) {
  for_each_row_on_host(
      batch, [&](std::int64_t at) { gemm(exec, shape, a + at * steps.a, b + at * steps.b, c + at * steps.c, beta); });
}

#define THALWEG_GEMM(Scalar, ExecutionSpace)                                                                        \
  template void gemm(const ExecutionSpace&, const GemmShape&, const Scalar*, const Scalar*, Scalar*, Scalar);       \
  template void gemm_batch(const ExecutionSpace&, const GemmShape&, std::int64_t, const BatchSteps&, const Scalar*, \
                           const Scalar*, Scalar*, Scalar);
THALWEG_GEMM(float, Kokkos::DefaultHostExecutionSpace)
THALWEG_GEMM(double, Kokkos::DefaultHostExecutionSpace)

}  // namespace thalweg
