// What passes over slices of the columns have in common on devices of compute capability 9.0.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace thalweg::hopper {

/// @throws std::runtime_error with the message of CUDA
inline void throw_unless_success(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(std::string("sums on the device: ") + cudaGetErrorString(status));
}

/// Whether this is the current device's compute capability.
inline bool is_current_device_hopper() {
  int device = 0, major = 0;
  return cudaGetDevice(&device) == cudaSuccess &&
         cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess && major == 9;
}

static __global__ void add_slices(const double* parts, std::int64_t size, int slices, double* sums) {
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(blockDim.x) + threadIdx.x;
  if (i >= size) return;
  double sum = 0;
  for (int slice = 0; slice < slices; ++slice) sum += parts[slice * size + i];
  sums[i] = sum;
}

/// sums_i = sum over slices of parts (slice, i).
inline void start_adding(cudaStream_t stream, const double* parts, std::int64_t size, std::int64_t slices,
                         double* sums) {
  add_slices<<<static_cast<unsigned>((size + 255) / 256), 256, 0, stream>>>(parts, size, static_cast<int>(slices),
                                                                            sums);
}

}  // namespace thalweg::hopper
