#include <cublas_v2.h>

#include <Kokkos_Core.hpp>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "kernels/device_launch.hpp"
#include "kernels/gemm.hpp"

namespace thalweg {

namespace {

void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw std::runtime_error(std::string("products of matrices on the device: ") + call + ": " +
                             cublasGetStatusString(status));
}

/// Handles of cuBLAS until Kokkos ends, one for each host thread and stream: a handle must not be used by two threads
/// at a time, and sums are the same from run to run only while no other stream has its workspace.
class Handles {
 public:
  static cublasHandle_t of(cudaStream_t stream) {
    static Handles handles;
    const std::lock_guard lock(handles.mutex_);
    if (handles.kept_.empty()) Kokkos::push_finalize_hook([] { handles.destroy(); });
    cublasHandle_t& kept = handles.kept_[{std::this_thread::get_id(), stream}];
    if (kept == nullptr) {
      cublasHandle_t handle = nullptr;
      check(cublasCreate(&handle), "cublasCreate");
      check(cublasSetStream(handle, stream), "cublasSetStream");
      kept = handle;
    }
    return kept;
  }

 private:
  void destroy() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, handle] : kept_)
      if (handle != nullptr) cublasDestroy(handle);
    kept_.clear();
  }

  std::mutex mutex_;
  std::map<std::pair<std::thread::id, cudaStream_t>, cublasHandle_t> kept_;
};

cublasOperation_t turn(bool is_transposed) { return is_transposed ? CUBLAS_OP_T : CUBLAS_OP_N; }

/// What cuBLAS has for a type.
///
/// float products take the precision that is prescribed (pedantic): neither TF32 nor emulation, whatever the
/// environment asks for. The matrix units of float64 multiply and add in float64, so double ones may use them.
template <class Scalar>
struct Library;
template <>
struct Library<float> {
  static constexpr auto gemm = cublasSgemm_64;
  static constexpr auto gemm_batch = cublasSgemmStridedBatched_64;
  static constexpr cublasMath_t mode = CUBLAS_PEDANTIC_MATH;
  static constexpr const char *name = "cublasSgemm", *batch_name = "cublasSgemmStridedBatched";
};
template <>
struct Library<double> {
  static constexpr auto gemm = cublasDgemm_64;
  static constexpr auto gemm_batch = cublasDgemmStridedBatched_64;
  static constexpr cublasMath_t mode = CUBLAS_DEFAULT_MATH;
  static constexpr const char *name = "cublasDgemm", *batch_name = "cublasDgemmStridedBatched";
};

/// cuBLAS counts by columns: C^T = B^T A^T, and a row-major matrix is the transpose of what it sees.
template <class Scalar>
void multiply(cublasHandle_t handle, const GemmShape& shape, std::int64_t batch, const BatchSteps& steps,
              const Scalar* a, const Scalar* b, Scalar* c, Scalar beta) {
  using Of = Library<Scalar>;
  const Scalar alpha = 1;
  check(cublasSetMathMode(handle, Of::mode), "cublasSetMathMode");
  if (batch == 1)
    check(Of::gemm(handle, turn(shape.b_transposed), turn(shape.a_transposed), shape.columns, shape.rows, shape.depth,
                   &alpha, b, shape.b_row(), a, shape.a_row(), &beta, c, shape.c_row()),
          Of::name);
  else
    check(Of::gemm_batch(handle, turn(shape.b_transposed), turn(shape.a_transposed), shape.columns, shape.rows,
                         shape.depth, &alpha, b, shape.b_row(), steps.b, a, shape.a_row(), steps.a, &beta, c,
                         shape.c_row(), steps.c, batch),
          Of::batch_name);
}

/// C <- beta C, of products without terms.
template <class Scalar>
struct ScaleMatrices {
  GemmShape shape;
  std::int64_t step;
  Scalar* c;
  Scalar beta;

  KOKKOS_FUNCTION void operator()(const std::int64_t at) const {
    const std::int64_t size = shape.rows * shape.columns, matrix = at / size, entry = at % size;
    const std::int64_t row = shape.c_stride > 0 ? shape.c_stride : shape.columns;
    Scalar& value = c[matrix * step + entry / shape.columns * row + entry % shape.columns];
    value = beta == Scalar(0) ? Scalar(0) : beta * value;
  }
};

}  // namespace

template <class Scalar, class ExecutionSpace>
void gemm_batch(const ExecutionSpace& exec, const GemmShape& shape, std::int64_t batch, const BatchSteps& steps,
                const Scalar* a, const Scalar* b, Scalar* c, std::type_identity_t<Scalar> beta) {
  if (batch == 0 || shape.rows == 0 || shape.columns == 0) return;
  if (shape.depth > 0) return multiply(Handles::of(exec.cuda_stream()), shape, batch, steps, a, b, c, beta);
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for("thalweg::gemm::scale", Policy(exec, 0, batch * shape.rows * shape.columns),
                       ScaleMatrices<Scalar>{shape, steps.c, c, beta});
  check_launches("thalweg::gemm::scale");
}

template <class Scalar, class ExecutionSpace>
void gemm(const ExecutionSpace& exec, const GemmShape& shape, const Scalar* a, const Scalar* b, Scalar* c,
          std::type_identity_t<Scalar> beta) {
  gemm_batch(exec, shape, 1, BatchSteps{}, a, b, c, beta);
}

#define THALWEG_GEMM(Scalar, ExecutionSpace)                                                                        \
  template void gemm_batch(const ExecutionSpace&, const GemmShape&, std::int64_t, const BatchSteps&, const Scalar*, \
                           const Scalar*, Scalar*, Scalar);                                                         \
  template void gemm(const ExecutionSpace&, const GemmShape&, const Scalar*, const Scalar*, Scalar*, Scalar);
THALWEG_GEMM(float, Kokkos::DefaultExecutionSpace)
THALWEG_GEMM(double, Kokkos::DefaultExecutionSpace)

}  // namespace thalweg
